"""Faults at random moments, with fixed seeds: what a reader is given stays 1, 2, 3 … once, and nothing is left behind."""
import collections
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pytest
import websocket
from postgres_proxy import PostgresProxy
from tailgate import DEADLINE, PG_BIN, Reader, free_port, wait_for

COUNT = "for i in $(seq {n}); do echo line $i; sleep 0.01; done"
needs_private_cluster = pytest.mark.skipif("TAILGATE_TEST_DATABASE_URL" in os.environ,
                                           reason="the database is not ours to break")


def wanted(n):
    return [f"line {k}" for k in range(1, n + 1)]


class Follower(threading.Thread):
    """A reader that comes back after the last line it saw, until the end; counts its connections."""

    def __init__(self, daemon, execution_id):
        super().__init__(daemon=True)
        self.daemon_, self.id = daemon, execution_id
        self.position, self.connections, self.lines = 0, 0, []
        self.end = self.wrong = None
        self.start()

    def run(self):
        give_up = time.monotonic() + DEADLINE
        while not self.end and not self.wrong and time.monotonic() < give_up:
            try:
                self.follow(Reader(self.daemon_, self.id, after=self.position))
            except (OSError, websocket.WebSocketException):
                time.sleep(0.05)  # the server is down: its coming back is no event for us
            except AssertionError as e:
                self.wrong = e

    def follow(self, reader):
        self.connections += 1
        try:
            while not reader.end:
                opcode, data = reader.ws.recv_data()
                if opcode == websocket.ABNF.OPCODE_CLOSE:
                    return
                message = json.loads(data)
                if message["type"] == "error":
                    return  # the database was away when it was asked: again
                self.take(reader, message)
        finally:
            reader.ws.close()

    def take(self, reader, message):
        if message["type"] == "logs":
            assert message["first"] == self.position + 1, (message["first"], self.position)
            self.position += len(message["lines"])
            self.lines += message["lines"]
        elif message["type"] == "end":
            assert message["last_seq"] == self.position, (message, self.position)
            self.end = reader.end = message

    def finish(self, lines):
        self.join(DEADLINE)
        assert not self.wrong, self.wrong
        assert self.end, f"no end after line {self.position}"
        assert [line[2] for line in self.lines] == lines
        return self


def read_until(one, i, count):
    """Waits until a reader has that many lines, and leaves."""
    reader = Reader(one, i).read_until(count)
    reader.ws.close()
    return reader


def follow_counts(one, runs, n, readers=2):
    ids = [one.run(COUNT.format(n=n))["execution_id"] for _ in range(runs)]
    followers = [Follower(one, i) for i in ids for _ in range(readers)]
    wait_for(lambda: all(f.position or f.wrong for f in followers), "each reader's first line")
    return ids, followers


def check_counts(one, ids, followers, n):
    for follower in followers:
        assert follower.finish(wanted(n)).end["status"] == "SUCCEEDED"
    for i in ids:
        assert one.logs_txt(i).decode().splitlines() == wanted(n)
    wait_for(lambda: not run_dirs(one), "the run directories to be removed")


def run_dirs(one):
    return [path.name for path in (one.state / "runs").iterdir()]


def runner_of(one, i):
    return int((one.state / "runs" / i / "lock").read_text().split()[0])


# ---- the server is killed ----

def test_kill9_again_and_again__every_line_once(own_daemon):
    one, chance = own_daemon(), random.Random(20)
    ids, followers = follow_counts(one, 3, 500)
    fast = one.run("seq -f 'line %.0f' 100000")["execution_id"]
    fast_follower = Follower(one, fast)
    for _ in range(10):
        time.sleep(chance.uniform(0.02, 0.6))
        one.kill9()
        one.start()
    fast_follower.finish(wanted(100000))
    check_counts(one, ids, followers, 500)
    assert followers[0].connections > 1


def test_kill9_while_runs_are_started__each_ends(own_daemon):
    one, chance = own_daemon(), random.Random(21)
    accepted = []

    def ask():
        try:
            accepted.append(one.run("echo one; echo two")["execution_id"])
        except (OSError, AssertionError):
            pass  # nothing was promised

    for _ in range(6):
        askers = [threading.Thread(target=ask) for _ in range(4)]
        for asker in askers:
            asker.start()
        time.sleep(chance.uniform(0.005, 0.06))
        one.kill9()
        for asker in askers:
            asker.join()
        one.start()
    wait_for(lambda: one.sql("SELECT count(*) FROM executions WHERE completed_at IS NULL") == [["0"]], "all to end")
    for i in accepted:
        end = one.status(i)
        assert (end["status"], one.logs_txt(i)) == ("SUCCEEDED", b"one\ntwo\n") or end["reason"] in ("start_failed", "runner_lost"), end
    wait_for(lambda: not run_dirs(one), "the run directories to be removed")


def test_kill9_in_terminating__ends(own_daemon):
    one = own_daemon()
    ids = [one.run("trap '' TERM; echo ready; while :; do sleep 0.1; done", grace=1)["execution_id"] for _ in range(2)]
    for i in ids:
        read_until(one, i, 1)
        assert one.request("DELETE", f"/api/v1/executions/{i}").status == 200
    runner = runner_of(one, ids[1])
    one.kill9()
    os.kill(runner, signal.SIGKILL)
    one.start()
    ends = [one.wait_status(i) for i in ids]
    assert [(end["status"], end["reason"]) for end in ends] == [("STOPPED", "stopped"), ("FAILED", "runner_lost")]


def test_stop_at_any_moment_of_the_start__clean_end(own_daemon):
    one, chance = own_daemon(), random.Random(22)
    one.stop()
    for _ in range(6):
        with open(one.log_path, "ab") as log:
            server = subprocess.Popen(one.command(), stdout=subprocess.DEVNULL, stderr=log, stdin=subprocess.DEVNULL, cwd="/")
        wait_for(lambda: "leaving" not in one.log_tail(1) and (one.state / "lock").read_text().split() == [str(server.pid)],
                 "the server to take its directory")
        time.sleep(chance.uniform(0.02, 0.4))
        server.terminate()
        assert server.wait(DEADLINE) == 0, one.log_tail()
    one.start()
    i = one.run("for k in $(seq 40); do seq -f 'line %.0f' 2000; done")["execution_id"]
    follower = Follower(one, i)
    one.stop()
    one.start()
    follower.finish(wanted(2000) * 40)


# ---- PostgreSQL ----

def end_backends(one, count):
    def ended():
        try:
            return one.sql("SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE "
                           f"application_name LIKE 'tailgated%' ORDER BY pid LIMIT {count}) AS picked")
        except subprocess.CalledProcessError:
            return None  # it is just starting

    wait_for(ended, "backends to end")


@needs_private_cluster
def test_postgres_restarted_and_backends_ended__readers_stay(own_daemon):
    one, chance = own_daemon(), random.Random(23)
    ids, followers = follow_counts(one, 5, 600)
    statuses = collections.Counter()
    over = threading.Event()

    def ask():
        while not over.wait(0.05):
            answer = one.get("/executions?limit=1")
            statuses[answer.status] += 1
            assert answer.status == 200 or answer.json["code"] == "DATABASE_ERROR", answer

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        for _ in range(3):
            time.sleep(chance.uniform(0.2, 0.8))
            one.pg_ctl("stop", "-m", "immediate")  # the server sees to the start
            wait_for(lambda: one.get("/executions?limit=1").status == 200, "PostgreSQL to be back")
        for _ in range(8):
            end_backends(one, chance.randint(1, 3))
            time.sleep(chance.uniform(0.05, 0.3))
        check_counts(one, ids, followers, 600)
    finally:
        over.set()
        asker.join()
    assert [f.connections for f in followers] == [1] * len(followers)
    assert set(statuses) <= {200, 503} and statuses[200] > 0


@needs_private_cluster
def test_postgres_frozen__answers_503_and_goes_on(own_daemon):
    one = own_daemon("--db-deadline", "3s")
    ids, followers = follow_counts(one, 2, 400, readers=1)
    read_until(one, ids[0], 10)
    with one.frozen_postgres():
        for _ in range(2):
            answer = one.get("/executions")
            assert (answer.status, answer.json["code"]) == (503, "DATABASE_ERROR"), answer
    check_counts(one, ids, followers, 400)
    assert [f.connections for f in followers] == [1, 1]


class Losses:
    """A proxy's judge: now and then the answer to what was asked is lost, or the asking."""

    def __init__(self, seed):
        self.chance, self.rate, self.cuts = random.Random(seed), 0.0, 0

    def __call__(self, connection, data):
        lost = self.chance.random() < self.rate
        connection.is_lost = connection.is_lost or lost
        connection.server.sendall(data)
        if lost:
            self.cuts += 1
            return connection.lose_answer(self.chance.choice([0, 0.001, 0.01]))


@pytest.fixture
def tcp_postgres():
    """The port of a PostgreSQL of our own on 127.0.0.1."""
    top = tempfile.mkdtemp(prefix="tg-pg-", dir="/tmp")
    prefix = []
    if os.getuid() == 0:
        shutil.chown(top, "postgres")
        prefix = ["runuser", "-u", "postgres", "--"]

    def run(*command):
        subprocess.run([*prefix, *map(str, command)], check=True, stdout=subprocess.DEVNULL, cwd="/")

    port = free_port()
    run(PG_BIN / "initdb", "-D", f"{top}/data", "-U", "postgres", "--auth=trust", "-N")
    run(PG_BIN / "pg_ctl", "-D", f"{top}/data", "-w", "-l", f"{top}/log", "start",
        "-o", f"-c listen_addresses=127.0.0.1 -p {port} -k {top}")
    try:
        yield port
    finally:
        run(PG_BIN / "pg_ctl", "-D", f"{top}/data", "-w", "-m", "immediate", "stop")
        shutil.rmtree(top)


def test_answers_of_commits_lost__nothing_twice_nothing_missing(own_daemon, tcp_postgres):
    losses = Losses(24)
    proxy = PostgresProxy(tcp_postgres, losses)
    one = own_daemon("--database-url", proxy.conninfo())
    ids, followers = follow_counts(one, 3, 700)
    quick = []
    losses.rate = 0.04
    while not all(f.position > 500 or f.end or f.wrong for f in followers):
        answer = one.request("POST", "/api/v1/run", {"command": "echo a; echo b"})
        if answer.status == 202:
            quick.append(answer.json["execution_id"])
        else:
            assert (answer.status, answer.json["code"]) == (503, "DATABASE_ERROR"), answer
    losses.rate = 0.0
    check_counts(one, ids, followers, 700)
    for i in quick:
        end = one.wait_status(i)
        assert (end["status"], end["last_seq"], one.logs_txt(i)) == ("SUCCEEDED", 2, b"a\nb\n")
    assert losses.cuts >= 5
    assert [f.connections for f in followers] == [1] * len(followers)
    proxy.close()


def direct(port, query):
    out = subprocess.run([PG_BIN / "psql", f"host=127.0.0.1 port={port} user=postgres dbname=postgres", "-qXAtc", query],
                         check=True, capture_output=True, text=True, cwd="/")
    return out.stdout.splitlines()


def check_rows(port, i, count):
    """The stored chunks are 1 … count, each once, and the execution's row says so."""
    key = int(i[:16], 16)
    rows = direct(port, f"SELECT first_seq, last_seq FROM log_chunks WHERE execution_key = {key} UNION ALL "
                        f"SELECT first_seq, last_seq FROM log_tail WHERE execution_key = {key} ORDER BY 1")
    position = 0
    for first, last in (map(int, row.split("|")) for row in rows):
        assert first == position + 1 and last >= first, rows
        position = last
    assert [str(position)] == direct(port, f"SELECT last_seq FROM executions WHERE execution_key = {key}")
    assert position == count


def test_answer_of_one_commit_lost__committed_once_and_found_so(own_daemon, tcp_postgres):
    armed, lost, seen = threading.Event(), threading.Event(), []

    def judge(connection, data):
        chosen = connection.name == "tailgated writer" and b"_chunk" in data and armed.is_set()
        if not chosen:
            connection.server.sendall(data)
            return None
        armed.clear()
        connection.is_lost = proxy.is_refusing = True
        seen.append(follower.position)
        connection.server.sendall(data)
        connection.answered.wait(DEADLINE)  # PostgreSQL has committed and said so
        lost.set()
        return connection.lose_answer()

    proxy = PostgresProxy(tcp_postgres, judge)
    one = own_daemon("--database-url", proxy.conninfo())
    i = one.run(COUNT.format(n=600))["execution_id"]
    follower = Follower(one, i)
    wait_for(lambda: follower.position > 5, "the first lines")
    for round_ in range(3):
        lost.clear()
        armed.set()
        assert lost.wait(DEADLINE)
        stored = int(direct(tcp_postgres, f"SELECT last_seq FROM executions WHERE execution_key = {int(i[:16], 16)}")[0])
        assert stored > follower.position >= seen[round_]  # committed, and nobody was told
        proxy.is_refusing = False
        wait_for(lambda: follower.position >= stored or follower.wrong, "the server to find it committed")
    assert follower.finish(wanted(600)).connections == 1
    check_rows(tcp_postgres, i, 600)
    assert one.logs_txt(i).decode().splitlines() == wanted(600)
    proxy.close()


def test_one_execution_poisoned__the_others_of_its_group_unaffected(own_daemon, tcp_postgres):
    one = own_daemon("--database-url", f"host=127.0.0.1 port={tcp_postgres} user=postgres dbname=postgres")
    ids, followers = follow_counts(one, 4, 400, readers=1)
    poisoned, others = ids[1], ids[:1] + ids[2:]
    direct(tcp_postgres, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'poisoned'; END $$;")
    for table in ("log_tail", "log_chunks"):
        direct(tcp_postgres, f"CREATE TRIGGER poison BEFORE INSERT ON {table} FOR EACH ROW "
                             f"WHEN (NEW.execution_key = {int(poisoned[:16], 16)}) EXECUTE FUNCTION refuse()")
    end = one.wait_status(poisoned)
    assert (end["status"], end["reason"]) == ("FAILED", "log_store_failed"), end
    lines = one.logs_txt(poisoned).decode().splitlines()
    assert 0 < len(lines) < 400 and lines == wanted(len(lines))
    for i, follower in zip(ids, followers):
        if i != poisoned:
            assert follower.finish(wanted(400)).end["status"] == "SUCCEEDED" and follower.connections == 1
    for i in others:
        assert one.logs_txt(i).decode().splitlines() == wanted(400)
        check_rows(tcp_postgres, i, 400)
    wait_for(lambda: not run_dirs(one), "the run directories to be removed")


def stalled_insert(tcp_postgres):
    """A proxy that keeps the INSERT of an execution whose command has `stalled` in it until release.set()."""
    held, release = threading.Event(), threading.Event()

    def judge(connection, data):
        if b"echo stalled" in data:
            held.set()
            release.wait(DEADLINE)
            connection.is_lost = True
            connection.server.sendall(data)
            return connection.lose_answer()
        connection.server.sendall(data)

    return PostgresProxy(tcp_postgres, judge), held, release


@pytest.mark.parametrize("is_killed", [True, False])
def test_row_committed_after_all_gave_it_up__ended_not_started(own_daemon, tcp_postgres, is_killed):
    proxy, held, release = stalled_insert(tcp_postgres)
    one = own_daemon("--database-url", proxy.conninfo(), "--db-deadline", "3s")
    answers = []

    def ask():
        try:
            answers.append(one.request("POST", "/api/v1/run", {"command": "echo stalled"}).status)
        except OSError:
            answers.append(None)  # killed

    asker = threading.Thread(target=ask)
    asker.start()
    assert held.wait(DEADLINE)
    if is_killed:
        one.kill9()
        one.start()
    asker.join()
    assert answers == [None if is_killed else 503]
    assert direct(tcp_postgres, "SELECT count(*) FROM executions") == ["0"]
    release.set()
    wait_for(lambda: direct(tcp_postgres, "SELECT status, reason FROM executions") == ["FAILED|start_failed"], "the end of the row")
    assert one.finish("echo goes on")["status"] == "SUCCEEDED"
    proxy.close()


class Wanderer(Follower):
    """Leaves at random, mostly in the middle of a burst, and comes back after the last line it saw."""

    def __init__(self, daemon, execution_id, seed, strides):
        self.chance, self.strides = random.Random(seed), strides
        super().__init__(daemon, execution_id)

    def follow(self, reader):
        self.connections += 1
        leave_at = self.position + self.chance.choice(self.strides)
        try:
            while not reader.end and self.position < leave_at:
                self.take(reader, json.loads(reader.ws.recv()))
        finally:
            if self.chance.random() < 0.5:
                reader.ws.sock.close()  # without a word
            else:
                reader.ws.close(timeout=0)


def test_readers_reconnect_at_random__each_line_once(own_daemon):
    one = own_daemon()
    slow = one.run(COUNT.format(n=400))["execution_id"]
    fast = one.run("for k in $(seq 20); do seq -f 'line %.0f' 5000; sleep 0.05; done")["execution_id"]
    readers = [(Wanderer(one, i, seed, strides), lines) for seed in range(4)
               for i, strides, lines in ((slow, [1, 5, 20, 50], wanted(400)), (fast, [1, 50, 500, 5000], wanted(5000) * 20))]
    for reader, lines in readers:
        assert reader.finish(lines).connections > 5
    assert one.logs_txt(slow).decode().splitlines() == wanted(400)
    assert one.logs_txt(fast).decode().splitlines() == wanted(5000) * 20


# ---- run directories ----

def cut_spool(directory):
    os.truncate(directory / "spool", 0)


def damage_header(directory):
    with open(directory / "spool", "r+b") as spool:
        spool.write(b"XXXX")


def damage_record(directory):
    spool = directory / "spool"
    wait_for(lambda: b"line 60" in spool.read_bytes(), "lines that were not read")
    with open(spool, "r+b") as file:
        file.seek(spool.read_bytes().index(b"line 60") - 3)
        file.write(b"\xff" * 6)


def remove_ack(directory):
    (directory / "ack").unlink()


def remove_lock(directory):
    (directory / "lock").unlink()


DAMAGES = [(cut_spool, "spool_corrupt"), (damage_header, "spool_corrupt"), (damage_record, "spool_corrupt"),
           (remove_ack, "spool_unreadable"), (remove_lock, "runner_lost"), (shutil.rmtree, "runner_lost")]


def test_run_directories_damaged__intact_prefix_then_failed(own_daemon):
    one = own_daemon()
    ids = [one.run(COUNT.format(n=150))["execution_id"] for _ in DAMAGES]
    for i in ids:
        read_until(one, i, 10)
    runners = [runner_of(one, i) for i in ids]
    one.kill9()
    for i, (damage, _) in zip(ids, DAMAGES):
        damage(one.state / "runs" / i)
    one.start()
    for i, (damage, reason) in zip(ids, DAMAGES):
        end = one.wait_status(i)
        assert (end["status"], end["reason"]) == ("FAILED", reason), damage
        lines = one.logs_txt(i).decode().splitlines()
        assert 10 <= len(lines) and lines == wanted(len(lines)), damage
    for runner in runners:  # one whose directory is gone cannot be told by the server
        try:
            os.kill(runner, signal.SIGTERM)
        except ProcessLookupError:
            pass


def test_acks_damaged__the_runs_go_on(own_daemon):
    one = own_daemon()
    acks = [(1 << 40).to_bytes(8, "little"), b"\xff" * 8, b"abc", b""]
    ids = [one.run(COUNT.format(n=100))["execution_id"] for _ in acks]
    for i, ack in zip(ids, acks):
        read_until(one, i, 10)
        (one.state / "runs" / i / "ack").write_bytes(ack)
    for i in ids:
        assert one.wait_status(i)["status"] == "SUCCEEDED"
        assert one.logs_txt(i).decode().splitlines() == wanted(100)


# ---- nothing is left behind ----

def resources(one):
    pid = one.pid()
    zombies = subprocess.run(["ps", "--ppid", str(pid), "-o", "stat="], capture_output=True, text=True).stdout.count("Z")
    return len(os.listdir(f"/proc/{pid}/fd")), zombies, run_dirs(one)


def in_parallel(clients, task):
    failures = []

    def work():
        try:
            task()
        except Exception as e:  # told by the test
            failures.append(repr(e))

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[:3]


def test_many_runs_stops_and_timeouts__nothing_left(own_daemon):
    one = own_daemon()
    one.finish("true")
    wait_for(lambda: not run_dirs(one), "the first run directory to be removed")
    before = resources(one)

    def quick():
        for _ in range(25):
            assert one.finish("true")["status"] == "SUCCEEDED"

    def stopped():
        for _ in range(5):
            i = one.run("sleep 100", grace=1)["execution_id"]
            assert one.request("DELETE", f"/api/v1/executions/{i}").status == 200
            end = one.wait_status(i)
            assert (end["status"], end["exit_code"]) == ("STOPPED", 130), end

    def late():
        end = one.finish("trap '' TERM; sleep 100 & while :; do sleep 0.1; done", timeout=1, grace=0)
        assert (end["status"], end["exit_code"], end["reason"]) == ("FAILED", 124, "timeout"), end

    for task in (quick, stopped, late):
        in_parallel(8, task)
    wait_for(lambda: resources(one) == before, f"what was there before: {before}")


def test_silent_stream__outlives_its_pings(own_daemon):
    one = own_daemon("--ping-interval", "100ms", "--pong-timeout", "10s")
    i = one.run("sleep 100")["execution_id"]
    reader = Reader(one, i)
    pings = 0
    while pings < 3:  # the next one comes only to those whose pong was seen
        opcode, frame = reader.ws.recv_data_frame(True)
        assert opcode != websocket.ABNF.OPCODE_CLOSE, frame.data
        pings += opcode == websocket.ABNF.OPCODE_PING
    reader.ws.close()
