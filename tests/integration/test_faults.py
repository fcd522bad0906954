"""What must survive: kill -9 of the server, PostgreSQL going away, damaged spools, bad settings."""
import json
import os
import signal
import struct
import subprocess

import pytest
from tailgate import BIN, DEADLINE, Gate, Reader, wait_for

COUNT = "for i in $(seq {n}); do echo line $i; sleep {pause}; done"


def wanted(n):
    return "".join(f"line {i}\n" for i in range(1, n + 1)).encode()


def test_kill9_in_the_middle__run_goes_on_every_line_once(own_daemon):
    one = own_daemon()
    i = one.run(COUNT.format(n=200, pause=0.02))["execution_id"]
    reader = Reader(one, i).read_until(20)
    one.kill9()
    reader.ws.close()
    one.start()
    again = Reader(one, i, after=reader.position).read_to_end()
    assert again.end["status"] == "SUCCEEDED"
    assert [line[2] for line in reader.lines + again.lines] == [f"line {n}" for n in range(1, 201)]
    assert one.logs_txt(i) == wanted(200)


def test_kill9_after_the_command_ended__exit_code_is_kept(own_daemon):
    one = own_daemon()
    gate = Gate(one)
    i = one.run(f"{gate.wait}; echo done; exit 9")["execution_id"]
    one.wait_status(i, ("RUNNING",))
    one.kill9()
    gate.open()
    spool = one.state / "runs" / i / "spool"
    wait_for(lambda: b"done" in spool.read_bytes(), "the command's end")
    one.start()
    end = one.wait_status(i)
    assert (end["status"], end["exit_code"]) == ("FAILED", 9) and one.logs_txt(i) == b"done\n"


def test_stop__runners_go_on(own_daemon):
    one = own_daemon()
    i = one.run(COUNT.format(n=60, pause=0.02))["execution_id"]
    reader = Reader(one, i).read_until(3)
    one.stop()
    while True:
        opcode, data = reader.ws.recv_data()
        if opcode == 8:
            break
    assert int.from_bytes(data[:2], "big") == 1001
    one.start()
    assert one.wait_status(i)["status"] == "SUCCEEDED" and one.logs_txt(i) == wanted(60)


def test_runner_killed__failed_runner_lost_prefix_kept(own_daemon):
    one = own_daemon()
    i = one.run("echo first; sleep 60")["execution_id"]
    Reader(one, i).read_until(1)
    runner = int((one.state / "runs" / i / "lock").read_text().split()[0])
    os.kill(runner, signal.SIGKILL)
    end = one.wait_status(i)
    assert (end["status"], end["reason"]) == ("FAILED", "runner_lost")
    assert one.logs_txt(i) == b"first\n"


def test_runner_killed_while_server_is_down__failed_runner_lost(own_daemon):
    one = own_daemon()
    i = one.run("echo first; sleep 60")["execution_id"]
    Reader(one, i).read_until(1)
    runner = int((one.state / "runs" / i / "lock").read_text().split()[0])
    one.kill9()
    os.kill(runner, signal.SIGKILL)
    one.start()
    assert one.wait_status(i)["reason"] == "runner_lost"


def test_damaged_spool__intact_prefix_then_failed(own_daemon):
    one = own_daemon()
    i = one.run("echo good; sleep 60")["execution_id"]
    Reader(one, i).read_until(1)
    one.kill9()
    runner = int((one.state / "runs" / i / "lock").read_text().split()[0])
    os.kill(runner, signal.SIGKILL)
    with open(one.state / "runs" / i / "spool", "ab") as spool:
        spool.write(struct.pack("<IIqBBH", 4, 0xdeadbeef, 1, ord("o"), 0, 0) + b"evil")
    one.start()
    end = one.wait_status(i)
    assert (end["status"], end["reason"]) == ("FAILED", "spool_corrupt")
    assert one.logs_txt(i) == b"good\n"


def test_postgres_away__503_never_401_then_recovers(own_daemon):
    if os.environ.get("TAILGATE_TEST_DATABASE_URL"):
        pytest.skip("the database is not ours to stop")
    one = own_daemon()
    i = one.run(COUNT.format(n=300, pause=0.02))["execution_id"]
    reader = Reader(one, i).read_until(5)
    postmaster = int((one.state / "pg/postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGSTOP)
    for child in subprocess.run(["ps", "--ppid", str(postmaster), "-o", "pid="], capture_output=True, text=True).stdout.split():
        os.kill(int(child), signal.SIGKILL)
    os.kill(postmaster, signal.SIGKILL)
    answers = [one.get("/executions") for _ in range(3)]
    for answer in answers:
        assert answer.status in (200, 503), answer
        assert answer.status == 200 or answer.json["code"] == "DATABASE_ERROR"
    wait_for(lambda: one.get("/executions").status == 200, "PostgreSQL to be back")
    reader.read_to_end()
    assert reader.position == 300 and one.logs_txt(i) == wanted(300)


def test_postgres_down__answers_503(own_daemon):
    if os.environ.get("TAILGATE_TEST_DATABASE_URL"):
        pytest.skip("the database is not ours to stop")
    helper = own_daemon()
    one = own_daemon("--database-url", helper.conninfo())
    assert one.get("/executions").status == 200
    helper.kill9()  # nobody starts PostgreSQL again now
    helper.pg_ctl("stop", "-m", "immediate")
    wait_for(lambda: one.get("/executions").status == 503, "503")
    answer = one.get("/executions")
    assert (answer.status, answer.json["code"]) == (503, "DATABASE_ERROR"), answer
    assert one.request("GET", "/livez", key=None).status == 200
    assert one.request("GET", "/readyz", key=None).status == 503


def test_private_cluster__crash_of_both_recovers(own_daemon):
    if os.environ.get("TAILGATE_TEST_DATABASE_URL"):
        pytest.skip("needs the private cluster")
    one = own_daemon()
    end = one.finish("echo kept")
    postmaster = int((one.state / "pg/postmaster.pid").read_text().split()[0])
    one.kill9()
    os.kill(postmaster, signal.SIGKILL)
    one.start()
    assert one.logs_txt(end["execution_id"]) == b"kept\n"


def test_state_dir_in_use__names_the_process(own_daemon):
    one = own_daemon()
    second = subprocess.run(one.command(), capture_output=True, text=True, timeout=DEADLINE, cwd="/")
    assert second.returncode == 2
    assert str(one.pid()) in second.stderr and len(second.stderr.strip().splitlines()) == 1


BAD_SETTINGS = [
    (["--no-such-flag"], {}, "no-such-flag"),
    (["--listen", "nonsense"], {}, "listen"),
    (["--max-body-bytes", "lots"], {}, "max-body-bytes"),
    (["--listen", "0.0.0.0:0"], {}, "insecure-http"),
    (["--tls-cert", "/nonexistent"], {}, "tls"),
    ([], {"TAILGATE_RING_BYTES": "x"}, "TAILGATE_RING_BYTES"),
    (["--config", "CONFIG"], {}, "CONFIG:2"),
]


@pytest.mark.parametrize("flags,env,text", BAD_SETTINGS)
def test_bad_setting__one_line_and_exit_2(tmp_path, flags, env, text):
    config = tmp_path / "tailgated.conf"
    config.write_text("# settings\nring-bytes = many\n")
    flags = [f.replace("CONFIG", str(config)) for f in flags]
    done = subprocess.run([BIN / "tailgated", "--dev", "--state-dir", tmp_path / "state", *(["--listen", "127.0.0.1:0"] if "--listen" not in flags else []), *flags],
                          env={**os.environ, **env}, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 2, done
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert text.replace("CONFIG", str(config)) in done.stderr, done.stderr


def test_help__lists_every_setting():
    done = subprocess.run([BIN / "tailgated", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    for name in ("--state-dir", "TAILGATE_STATE_DIR", "--spool-bytes", "--log-retention", "--trusted-proxies"):
        assert name in done.stdout


def test_retention__old_lines_are_a_gap(own_daemon):
    one = own_daemon("--log-retention", "1d")
    i = one.finish("seq 10")["execution_id"]
    old = one.run("true")  # something newer stays
    one.wait_status(old["execution_id"])
    key = int(i[:16], 16)
    one.sql(f"DELETE FROM log_chunks WHERE execution_key = {key}; DELETE FROM log_tail WHERE execution_key = {key}")
    one.kill9()  # what the ring held is gone with the process
    one.start()
    reader = Reader(one, i)
    while not reader.end:
        message = json.loads(reader.ws.recv())
        reader.messages.append(message)
        reader.end = message if message["type"] == "end" else None
    gap = [m for m in reader.messages if m["type"] == "gap"]
    assert gap and (gap[0]["from"], gap[0]["to"], gap[0]["reason"]) == (1, 10, "retention")


def test_compaction__small_chunks_are_merged_at_the_end(own_daemon):
    one = own_daemon()
    i = one.finish(COUNT.format(n=100, pause=0.01))["execution_id"]
    key = int(i[:16], 16)
    wait_for(lambda: one.sql(f"SELECT count(*) FROM log_tail WHERE execution_key = {key}") == [["0"]], "the merge")
    assert one.sql(f"SELECT count(*) FROM log_chunks WHERE execution_key = {key}") == [["1"]]
    assert one.logs_txt(i) == wanted(100)
