"""What the figures are made of: a server of the bench's own, the load client, the yardstick, and their CPU time."""
import dataclasses
import json
import os
import pathlib
import select
import shlex
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/support"))
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
LINE_BYTES = 120
programs = {}  # name → path, set by use_build()


def use_build(build):
    """Where the programs are. tests/support's Daemon takes it from the environment, when it is imported."""
    os.environ["TAILGATE_BIN_DIR"] = str(build / "bin")
    for name in ("emit", "bare", "load", "redact"):
        programs[name] = str(build / "bench" / f"bench_{name}")


def cpu_of(pids, children=()):
    """User and system seconds of the processes; of `children` also of what they have waited for."""
    total = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += sum(int(f) for f in fields[11:15 if pid in children else 13])
    return total * TICK_S


def resident_kib(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


class Gate:
    """A FIFO: who opens it for reading waits until open() was called."""

    def __init__(self, path):
        self.path, self.fd = path, None
        os.mkfifo(path, 0o644)
        path.chmod(0o644)

    def open(self):
        if self.fd is None:
            self.fd = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)


class Server:
    """tailgated --dev in a directory of its own, with a private PostgreSQL."""

    def __init__(self, *flags):
        from tailgate import Daemon
        self.daemon = Daemon("--max-connections", "15000", "--log-level", "warn", *flags)
        self.count = 0

    def __enter__(self):
        self.daemon.start()
        self.port = self.daemon.url.rsplit(":", 1)[1]
        return self

    def __exit__(self, *_):
        self.daemon.close()

    def cpu(self):
        pg = int((self.daemon.state / "pg/postmaster.pid").read_text().split()[0])
        children = pathlib.Path(f"/proc/{pg}/task/{pg}/children").read_text().split()
        runners = [lock.read_text().split()[0] for lock in (self.daemon.state / "runs").glob("*/lock")
                   if lock.stat().st_size]
        return {"tailgated": cpu_of([self.daemon.pid()]), "postgres": cpu_of([pg, *children], children=[pg]),
                "runner": cpu_of(runners)}

    def emit(self, lines, rate=0, burst=1, kind="", stop=True):
        """Starts the command; the gates that let it begin and end."""
        self.count += 1
        gate, end = (Gate(self.daemon.dir / f"{name}-{self.count}") for name in ("gate", "stop"))
        command = [programs["emit"], str(lines), str(rate), str(burst), str(LINE_BYTES), str(gate.path),
                   str(end.path) if stop else "-", *kind.split()]
        return self.daemon.run("exec " + shlex.join(command)), gate, end

    def load(self, protocol, readers, execution=None, **options):
        run = execution if isinstance(execution, dict) else None
        arguments = {"port": self.port, "protocol": protocol, "readers": readers, **options}
        if protocol == "runvoy":
            arguments["path"] = "/" + run["websocket_url"].split("/", 3)[3]
        else:
            arguments["key"] = self.daemon.key
        ids = [e["execution_id"] for e in execution] if isinstance(execution, list) else [run["execution_id"]]
        return Load(exec=",".join(ids), **arguments)

    def metric(self, name):
        """Its value at /metrics."""
        text = self.daemon.request("GET", "/metrics").body.decode()
        return next(float(line.split()[-1]) for line in text.splitlines() if line.split(" ")[0] == name)

    def finish(self, run, end=None, deadline=120):
        if end:
            end.open()
        return self.daemon.wait_status(run["execution_id"], deadline=deadline)


class Load:
    def __init__(self, **arguments):
        command = [programs["load"]]
        for name, value in arguments.items():
            flag = "--" + name.replace("_", "-")
            command += [flag] if value is True else [flag, str(value)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)

    def ready(self):
        words = self.process.stdout.readline().split()
        assert words[:1] == ["ready"], "the load client did not get ready"
        self.ready_count = int(words[1])
        return float(words[2])

    def has_result(self):
        return bool(select.select([self.process.stdout], [], [], 0)[0])

    def result(self):
        """Its report; the counts of what was wrong must be 0."""
        result = json.loads(self.process.stdout.readline() or '{"errors": "none: it ended early"}')
        self.process.stdin.close()
        self.process.wait()
        if result["errors"] or self.process.returncode:
            raise RuntimeError(f"lines are missing or doubled: {result}")
        return result


def live(server, protocol, readers, lines, rate, burst, executions=1, **options):
    """Readers of a command that begins when all are subscribed. The load's report and CPU ns per delivered line."""
    runs = [server.emit(lines, rate, burst) for _ in range(executions)]
    for run, _, _ in runs:
        server.daemon.wait_status(run["execution_id"], ("RUNNING",))
    load = server.load(protocol, readers, runs[0][0] if executions == 1 else [r for r, _, _ in runs], lines=lines,
                       timeout=options.pop("timeout", 120), **options)
    try:
        load.ready()
        before = server.cpu()
        for _, gate, _ in runs:
            gate.open()
        result = load.result()
        after = server.cpu()
    finally:
        load.process.kill()
        load.process.wait()
        for _, gate, end in runs:
            gate.open()
            end.open()
    result["cpu_ns"] = {name: (after[name] - before[name]) * 1e9 / result["lines"] for name in after}
    for run, _, _ in runs:
        server.finish(run)
    return result


def bare(readers, lines, rate, frame_lines):
    """The yardstick with as many readers, lines and bytes; ns of its CPU per delivered line."""
    ring = frame_lines * max(1, 50000 // frame_lines)
    lines -= lines % frame_lines
    process = subprocess.Popen([programs["bare"], *map(str, (readers, lines, rate, frame_lines, LINE_BYTES, ring))],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        port = process.stdout.readline().split()[1]
        load = Load(port=port, protocol="v1", readers=readers, lines=lines, ring_lines=ring, timeout=60)
        load.ready()
        process.stdin.write("go\n")
        process.stdin.flush()
        load.result()
        return json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, seconds=10):
    end = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


@dataclasses.dataclass
class Row:
    name: str
    values: list  # one a run
    unit: str
    bar: float = None
    at_least: bool = False
    note: str = ""

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def is_met(self):
        return None if self.bar is None else (self.median >= self.bar) == self.at_least or self.median == self.bar


def median(values):
    return statistics.median(values)


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))]


def wait_quiet(seconds):
    """Until the load average has fallen below 1, or the seconds are over."""
    end = time.monotonic() + seconds
    while os.getloadavg()[0] > 1 and time.monotonic() < end:
        time.sleep(2)
