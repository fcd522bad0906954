"""The daemon under test and its clients, for the integration and end-to-end tests.

A Daemon owns one state directory and one `tailgated --dev` at a time; it is started, killed and started
again by the tests. Nothing here sleeps for a fixed time: everything waits for an event with a deadline.
"""
import contextlib
import fcntl
import http.client
import json
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request
import uuid

import websocket

BIN = pathlib.Path(os.environ.get("TAILGATE_BIN_DIR", "build/dev/bin")).resolve()
PG_BIN = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
DEADLINE = float(os.environ.get("TAILGATE_TEST_DEADLINE", "120"))
TERMINAL = ("SUCCEEDED", "FAILED", "STOPPED")


def wait_for(condition, what, deadline=None, pause=0.02):
    """The first true value of condition(); AssertionError naming `what` when the deadline passes."""
    end = time.monotonic() + (deadline or DEADLINE)
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"timed out waiting for {what}"
        time.sleep(pause)


class Gate:
    """Where a command stands still until the test has seen what it wanted: `gate.wait` in the command's text."""

    def __init__(self, daemon):
        self.path = daemon.dir / f"gate-{uuid.uuid4().hex}"
        self.wait = f"until [ -e {self.path} ]; do sleep 0.02; done"

    def open(self):
        self.path.touch()


def free_port():
    """A TCP port that nobody is given by chance meanwhile: below those that the kernel hands out."""
    for port in random.SystemRandom().sample(range(12000, 32000), 1000):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no free port")


class ClusterTemplate:
    """The private cluster as it is before its first migration, made once for a build by its own server: what
    the others copy saves them an initdb and its hundreds of syncs. It holds nothing of who made it."""

    def __init__(self):
        stamp = (BIN / "tailgated").stat().st_mtime_ns
        self.parent = BIN.parent / "cluster-templates"
        self.path = self.parent / str(stamp)

    def copy_to(self, place):
        """As root alone: then nothing in it depends on a password. One is made when there is none."""
        if os.getuid() != 0:
            return
        self.parent.mkdir(mode=0o700, exist_ok=True)
        with open(self.parent / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.path.exists():
                self.make()
        self.copy(self.path, place)

    def make(self):
        for old in self.parent.glob("[0-9]*"):
            shutil.rmtree(old)
        maker = Daemon(is_fresh=True)
        try:
            maker.start()
            maker.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner; "
                      "GRANT USAGE ON SCHEMA public TO PUBLIC")  # as initdb makes it
            maker.stop()
            self.copy(maker.state / "pg", self.parent / "new")
            (self.parent / "new").rename(self.path)
        finally:
            maker.close()

    @staticmethod
    def copy(source, target):
        subprocess.run(["cp", "-a", "--sparse=always", source, target], check=True)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Daemon:
    """user: start everything as this ordinary user (needs root). is_fresh: with an initdb of its own."""

    def __init__(self, *flags, user=None, env=None, wrapper=(), is_fresh=False):
        self.is_fresh = is_fresh or user
        self.flags, self.user, self.env, self.wrapper = list(flags), user, dict(env or {}), list(wrapper)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tg-", dir="/tmp"))
        self.dir.chmod(0o755)
        self.state = self.dir / "state"
        self.state.mkdir()
        self.process = None
        self.url = None
        self.log_path = self.dir / "log"
        self._drop_database = None
        url = os.environ.get("TAILGATE_TEST_DATABASE_URL")
        if url and not user and not any(f.startswith("--database-url") for f in self.flags):
            self._own_database(url)
        if user:
            entry = pwd.getpwnam(user)
            os.chown(self.dir, entry.pw_uid, entry.pw_gid)
            os.chown(self.state, entry.pw_uid, entry.pw_gid)

    def _own_database(self, url):
        name = f"tailgate_test_{uuid.uuid4().hex[:12]}"
        subprocess.run([PG_BIN / "psql", "-qX", url, "-c", f"CREATE DATABASE {name}"], check=True)
        parts = urllib.parse.urlsplit(url)
        self.flags += ["--database-url", urllib.parse.urlunsplit(parts._replace(path=f"/{name}"))]
        self._drop_database = [PG_BIN / "psql", "-qX", url, "-c", f"DROP DATABASE {name} WITH (FORCE)"]

    # ---- life cycle ----
    def command(self, *extra):
        command = [BIN / "tailgated", "--dev", "--state-dir", self.state, "--listen", "127.0.0.1:0",
                   "--log-format", "json", *self.flags, *extra]
        if self.user:
            command = ["runuser", "-u", self.user, "--", *command]
        return [str(c) for c in [*self.wrapper, *command]]

    def start(self, *extra, deadline=None):
        if not (self.is_fresh or "--database-url" in self.flags or (self.state / "pg").exists()):
            ClusterTemplate().copy_to(self.state / "pg")
        log = open(self.log_path, "ab")
        environment = {**os.environ, **self.env}
        self.process = subprocess.Popen(self.command(*extra), stdout=subprocess.PIPE, stderr=log,
                                        stdin=subprocess.DEVNULL, env=environment, cwd="/")
        log.close()
        self.url = self._read_url(deadline or DEADLINE)
        self.key = (self.state / "admin.key").read_text().strip()
        return self

    def _read_url(self, deadline):
        found = {}

        def read():
            for line in self.process.stdout:
                match = re.match(rb"Tailgate is ready: (http\S+)", line)
                if match:
                    found["url"] = match.group(1).decode().rstrip("/")
                    break
            found["done"] = True

        threading.Thread(target=read, daemon=True).start()
        wait_for(lambda: found, f"the daemon's ready line (log: {self.log_tail()})", deadline)
        assert "url" in found, f"the daemon ended with {self.process.wait()}: {self.log_tail()}"
        return found["url"]

    def log_tail(self, count=15):
        try:
            return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-count:])
        except FileNotFoundError:
            return ""

    def pid(self):
        """The tailgated process itself (behind runuser)."""
        return int((self.state / "lock").read_text().split()[0])

    def kill9(self):
        os.kill(self.pid(), signal.SIGKILL)
        self.process.wait()

    def stop(self, deadline=None):
        if self.process and self.process.poll() is None:
            os.kill(self.pid(), signal.SIGTERM)
            code = self.process.wait(deadline or DEADLINE)
            assert code == 0, f"exit code {code} after SIGTERM: {self.log_tail()}"

    def close(self):
        try:
            self.stop()
        finally:
            if self.process and self.process.poll() is None:
                os.kill(self.pid(), signal.SIGKILL)
                self.process.wait()
            self._end_runners()
            self._stop_cluster()
            if self._drop_database:
                subprocess.run(self._drop_database, check=True)
            shutil.rmtree(self.dir, ignore_errors=True)

    def _end_runners(self):
        """Runs outlive the server on purpose; a test's must not outlive the test."""
        for lock in (self.state / "runs").glob("*/lock"):
            pid = lock.read_text().split()[:1]
            name = pathlib.Path(f"/proc/{pid[0]}/comm") if pid else None
            if name and name.exists() and name.read_text().startswith("tailgate-runner"[:15]):
                os.kill(int(pid[0]), signal.SIGKILL)

    def _stop_cluster(self):
        if (self.state / "pg/postmaster.pid").exists():
            self.pg_ctl("stop", "-m", "immediate", check=False)

    def pg_ctl(self, *arguments, check=True):
        """pg_ctl on the private cluster, as its owner."""
        owner = (self.state / "pg").owner()
        command = [str(PG_BIN / "pg_ctl"), "-D", str(self.state / "pg"), "-w", *arguments]
        if os.getuid() == 0:
            command = ["runuser", "-u", owner, "--", *command]
        return subprocess.run(command, check=check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    @contextlib.contextmanager
    def frozen_postgres(self):
        """The private cluster stands still: it answers nothing, and nothing is lost."""
        postmaster = (self.state / "pg/postmaster.pid").read_text().split()[0]
        children = subprocess.run(["ps", "--ppid", postmaster, "-o", "pid="], capture_output=True, text=True).stdout.split()
        frozen = [int(pid) for pid in (postmaster, *children)]
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in frozen:
                try:
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    pass  # it had been told to end before

    def sql(self, query):
        """Rows of a query on the daemon's database, as lists of strings."""
        command = [str(PG_BIN / "psql"), self.conninfo()]
        out = subprocess.run([*command, "-qXAtF\t", "-c", query], check=True, capture_output=True, text=True, cwd="/")
        return [line.split("\t") for line in out.stdout.splitlines()]

    @contextlib.contextmanager
    def locked(self, table):
        """Nobody reads or writes the table meanwhile."""
        with subprocess.Popen([str(PG_BIN / "psql"), self.conninfo(), "-qXAt"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True, cwd="/") as psql:
            print(f"BEGIN; LOCK {table} IN ACCESS EXCLUSIVE MODE; SELECT 'locked';", file=psql.stdin, flush=True)
            assert psql.stdout.readline() == "locked\n"
            yield

    def conninfo(self):
        """libpq's words for the daemon's database."""
        if "--database-url" in self.flags:
            return self.flags[self.flags.index("--database-url") + 1]
        lines = (self.state / "pg/postmaster.pid").read_text().splitlines()
        return f"host={lines[4]} port={lines[3]} user=postgres dbname=postgres"

    # ---- HTTP ----
    def request(self, method, path, body=None, key=..., headers=None, timeout=None):
        parts = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout or DEADLINE)
        sent = dict(headers or {})
        if key is ...:
            key = self.key
        if key is not None:
            sent["X-API-Key"] = key
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body=body, headers=sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.request("GET", f"/api/v1{path}", **more)

    def open(self, path):
        """The answer to a GET while it comes: to be read by the caller."""
        request = urllib.request.Request(f"{self.url}/api/v1{path}", headers={"X-API-Key": self.key})
        return urllib.request.urlopen(request, timeout=DEADLINE)

    def run(self, command, **fields):
        answer = self.request("POST", "/api/v1/run", {"command": command, **fields})
        assert answer.status == 202, answer
        return answer.json

    def status(self, execution_id):
        answer = self.get(f"/executions/{execution_id}/status")
        assert answer.status == 200, answer
        return answer.json

    def wait_status(self, execution_id, statuses=TERMINAL, deadline=None):
        return wait_for(lambda: (s := self.status(execution_id))["status"] in statuses and s,
                        f"{execution_id} to be {statuses}", deadline)

    def finish(self, command, deadline=None, **fields):
        """Runs to the end; the final status."""
        return self.wait_status(self.run(command, **fields)["execution_id"], deadline=deadline)

    def logs_txt(self, execution_id):
        answer = self.get(f"/executions/{execution_id}/logs.txt")
        assert answer.status == 200, answer
        return answer.body

    def events(self, execution_id):
        answer = self.get(f"/executions/{execution_id}/logs")
        assert answer.status == 200, answer
        return answer.json["events"]

    def websocket(self, path="/api/v1/ws", subprotocol="tailgate.v1", key=..., headers=None, **more):
        sent = dict(headers or {})
        if key is ...:
            key = self.key
        if key is not None:
            sent["X-API-Key"] = key
        url = path if path.startswith("ws") else self.url.replace("http", "ws", 1) + path
        return websocket.create_connection(url, timeout=DEADLINE, header=[f"{k}: {v}" for k, v in sent.items()],
                                           subprotocols=[subprotocol] if subprotocol else None,
                                           suppress_origin=True, **more)

    # ---- CLI ----
    def cli(self, *arguments, **more):
        return subprocess.run([str(BIN / "tailgate"), *arguments], env=self.cli_env(), capture_output=True,
                              timeout=DEADLINE, **more)

    def cli_env(self):
        return {**os.environ, "TAILGATE_ENDPOINT": self.url, "TAILGATE_API_KEY": self.key,
                "XDG_CONFIG_HOME": str(self.dir / "config")}


def close_frame(ws):
    """(code, reason) of the close frame that comes next; other frames before it fail."""
    opcode, data = ws.recv_data()
    assert opcode == websocket.ABNF.OPCODE_CLOSE, (opcode, data[:200])
    return int.from_bytes(data[:2], "big"), data[2:].decode()


def read_runvoy_stream(ws):
    """Every message of Runvoy's stream up to its close: (line messages, disconnect message, code, reason)."""
    lines = []
    while True:
        opcode, data = ws.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            last = lines.pop() if lines and lines[-1].get("type") == "disconnect" else None
            return lines, last, int.from_bytes(data[:2], "big"), data[2:].decode()
        lines.append(json.loads(data))


class Reader:
    """A tailgate.v1 reader of one execution that checks every sequence number as it comes."""

    def __init__(self, daemon, execution_id, **subscribe):
        self.ws = daemon.websocket()
        self.execution_id = execution_id
        self.position = subscribe.get("after", 0)
        self.lines, self.messages, self.end = [], [], None
        self.ws.send(json.dumps({"type": "subscribe", "execution_id": execution_id, **subscribe}))

    def step(self):
        """Reads one message."""
        opcode, data = self.ws.recv_data()
        assert opcode == websocket.ABNF.OPCODE_TEXT, (opcode, data)
        message = json.loads(data)
        if message["type"] == "logs":
            assert message["first"] == self.position + 1, (message["first"], self.position)
            self.position += len(message["lines"])
            self.lines += message["lines"]
        else:
            self.messages.append(message)
            if message["type"] == "end":
                self.end = message
        return message

    def read_to_end(self):
        while not self.end:
            self.step()
        assert self.end["last_seq"] == self.position, (self.end, self.position)
        return self

    def read_until(self, count):
        while self.position < count:
            self.step()
        return self

    def types(self):
        return [m["type"] for m in self.messages]
