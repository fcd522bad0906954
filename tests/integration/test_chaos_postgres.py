"""PostgreSQL goes, freezes, loses answers and refuses at random moments, with fixed seeds: readers stay and miss nothing."""
import collections
import os
import random
import shutil
import subprocess
import tempfile
import threading
import time

import pytest
from followers import Follower, check_counts, follow_counts, read_until, run_dirs, wanted
from postgres_proxy import PostgresProxy
from tailgate import DEADLINE, PG_BIN, Gate, free_port, wait_for

needs_private_cluster = pytest.mark.skipif("TAILGATE_TEST_DATABASE_URL" in os.environ,
                                           reason="the database is not ours to break")


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
    while losses.cuts < 5 or not all(f.position > 500 or f.end or f.wrong for f in followers):
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
    gate = Gate(one)
    i = one.run(f"i=0; until [ -e {gate.path} ]; do i=$((i + 1)); echo line $i; sleep 0.01; done")["execution_id"]
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
    gate.open()
    count = one.wait_status(i)["last_seq"]
    assert follower.finish(wanted(count)).connections == 1
    check_rows(tcp_postgres, i, count)
    assert one.logs_txt(i).decode().splitlines() == wanted(count)
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
