"""Faults at random moments, with fixed seeds: what a reader is given stays 1, 2, 3 … once, and nothing is left behind."""
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time

import websocket
from followers import COUNT, Follower, check_counts, follow_counts, read_until, run_dirs, runner_of, wanted
from tailgate import DEADLINE, Gate, Reader, wait_for


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


PRINT_10 = "for i in $(seq 10); do echo line $i; done"
PRINT_REST = "for i in $(seq 11 100); do echo line $i; done"
DAMAGES = [(cut_spool, "spool_corrupt"), (damage_header, "spool_corrupt"), (damage_record, "spool_corrupt"),
           (remove_ack, "spool_unreadable"), (remove_lock, "runner_lost"), (shutil.rmtree, "runner_lost")]


def test_run_directories_damaged__intact_prefix_then_failed(own_daemon):
    one = own_daemon()
    gate = Gate(one)
    ids = [one.run(f"{PRINT_10}; {gate.wait}; {PRINT_REST}; sleep 600")["execution_id"] for _ in DAMAGES]
    for i in ids:
        read_until(one, i, 10)
    runners = [runner_of(one, i) for i in ids]
    one.kill9()
    gate.open()
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
    gate = Gate(one)
    ids = [one.run(f"{PRINT_10}; {gate.wait}; {PRINT_REST}")["execution_id"] for _ in acks]
    for i, ack in zip(ids, acks):
        read_until(one, i, 10)
        (one.state / "runs" / i / "ack").write_bytes(ack)
    gate.open()
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
