"""The command line client against the real daemon."""
import json
import re
import signal
import subprocess

from tailgate import BIN, DEADLINE, Gate, free_port


def start(daemon, *arguments):
    return subprocess.Popen([str(BIN / "tailgate"), *arguments], env=daemon.cli_env(), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, bufsize=0)  # nothing read ahead of readline


def test_run__lines_as_they_come_and_exit_code(daemon):
    gates = [Gate(daemon) for _ in range(3)]
    process = start(daemon, "run", "--", "sh", "-c", "; ".join(f"echo {n}; {g.wait}" for n, g in enumerate(gates)) + "; exit 7")
    for n, gate in enumerate(gates):
        assert process.stdout.readline() == b"%d\n" % n  # the next one is not there before the gate is open
        gate.open()
    assert process.wait(DEADLINE) == 7
    process.communicate()


def test_run__streams_are_kept_apart(daemon):
    done = daemon.cli("run", "--", "echo out; echo err >&2")
    assert done.returncode == 0 and done.stdout == b"out\n" and b"err\n" in done.stderr


def test_run__env_timeout_and_command_of_words(daemon):
    done = daemon.cli("run", "--env", "A=b c", "--", "printf", "%s|", "x y", "$A", "q'q")
    assert done.stdout == b"x y|$A|q'q|" or done.stdout == b"x y|$A|q'q|\n", done
    assert daemon.cli("run", "--env", "A=b c", "--", 'echo "$A"').stdout == b"b c\n"
    assert daemon.cli("run", "--timeout", "1s", "--", "sleep 30").returncode == 124


def test_logs__forms(daemon):
    i = daemon.finish("seq 100; echo e >&2")["execution_id"]
    assert daemon.cli("logs", "--tail", "3", i).stdout.splitlines()[-1] == b"100"
    assert daemon.cli("logs", "--after", "98", i).stdout.splitlines() == [b"99", b"100"]
    rows = [json.loads(x) for x in daemon.cli("logs", "-o", "json", i).stdout.splitlines()]
    assert [r["seq"] for r in rows] == list(range(1, 102)) and rows[0]["message"] == "1"
    assert re.match(rb"\d{4}-\d\d-\d\dT", daemon.cli("logs", "--timestamps", "--tail", "2", i).stdout)
    assert daemon.cli("logs", "-f", i).stdout.count(b"\n") == 100


def test_logs__search(daemon):
    i = daemon.finish("seq 3000; echo Error: 7 >&2")["execution_id"]
    assert daemon.cli("logs", "--grep", "99", i).stdout.split() == [b"%d" % n for n in range(1, 3001) if "99" in str(n)]
    assert len(daemon.cli("logs", "--regex", "^[0-9]+$", i).stdout.split()) == 3000  # several pages
    done = daemon.cli("logs", "--grep", "error", "-i", i)
    assert done.returncode == 0 and done.stdout == b"" and b"Error: 7" in done.stderr
    assert daemon.cli("logs", "--grep", "error", i).stderr == b""
    bad = daemon.cli("logs", "--regex", "(", i)
    assert bad.returncode == 6 and b"at character" in bad.stderr


def test_list__watch(daemon):
    before = daemon.finish("true")["execution_id"]
    live = daemon.run("sleep 100")["execution_id"]
    daemon.wait_status(live, ("RUNNING",))
    process, rows = start(daemon, "list", "--watch", "-o", "json"), []

    def read_until(condition):
        while not (rows and condition(rows[-1])):
            rows.append(json.loads(process.stdout.readline()))

    read_until(lambda row: row["execution_id"] == live and row["status"] == "RUNNING")
    new = daemon.finish("true")["execution_id"]
    read_until(lambda row: row["execution_id"] == new and row["status"] == "SUCCEEDED")
    assert daemon.cli("kill", live).returncode == 0
    read_until(lambda row: row["execution_id"] == live and row["status"] == "STOPPED")
    process.send_signal(signal.SIGINT)
    assert process.wait(DEADLINE) == 130
    process.communicate()
    told = [(row["execution_id"], row["version"]) for row in rows]
    assert len(set(told)) == len(told) and before not in dict(told)


def test_list_status_kill_version(daemon):
    i = daemon.run("sleep 100")["execution_id"]
    daemon.wait_status(i, ("RUNNING",))
    assert i.encode() in daemon.cli("list", "--limit", "0").stdout
    assert b"RUNNING" in daemon.cli("status", i).stdout
    assert daemon.cli("kill", i).returncode == 0
    assert daemon.wait_status(i)["status"] == "STOPPED"
    assert b"STOPPED" in daemon.cli("status", i).stdout
    assert re.search(rb"\d+\.\d+\.\d+", daemon.cli("version").stdout)


def test_errors__own_exit_codes(daemon):
    unknown = daemon.cli("logs", "0" * 32)
    assert unknown.returncode == 3 and len(unknown.stderr.splitlines()) == 1
    assert daemon.cli("status", "0" * 32).returncode == 3
    assert daemon.cli("nonsense").returncode == 2
    assert daemon.cli("run").returncode in (2, 125)
    env = {**daemon.cli_env(), "TAILGATE_API_KEY": "tg_" + "A" * 49}
    assert subprocess.run([BIN / "tailgate", "list"], env=env, capture_output=True).returncode == 4
    env = {**daemon.cli_env(), "TAILGATE_ENDPOINT": "http://127.0.0.1:1"}
    assert subprocess.run([BIN / "tailgate", "list"], env=env, capture_output=True).returncode == 5


def test_interrupt__detaches_and_says_how_to_come_back(daemon):
    gate = Gate(daemon)
    process = start(daemon, "run", "--", f"echo ready; {gate.wait}; echo later")
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=DEADLINE)
    back = re.search(rb"tailgate logs (.*)([0-9a-f]{32})(.*)", err)
    assert process.returncode == 130 and back, err
    gate.open()
    i = back.group(2).decode()
    assert daemon.wait_status(i)["status"] == "SUCCEEDED"
    assert daemon.cli("logs", "-f", "--after", "1", i).stdout == b"later\n"


def test_interrupt__kills_when_asked(daemon):
    process = start(daemon, "run", "--kill-on-interrupt", "--", "echo ready; sleep 100")
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=DEADLINE)
    assert process.returncode == 130
    assert daemon.get("/executions?limit=1").json[0]["status"] == "STOPPED"


def test_reconnect__server_killed_under_a_tail(own_daemon):
    one, port = own_daemon(start=False), free_port()
    one.start("--listen", f"127.0.0.1:{port}")
    process = start(one, "run", "--", "for i in $(seq 150); do echo $i; sleep 0.02; done; exit 3")
    assert process.stdout.readline() == b"1\n"
    one.kill9()
    one.start("--listen", f"127.0.0.1:{port}")
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 3, err
    assert out.split() == [b"%d" % n for n in range(2, 151)]


def test_configure__writes_a_private_file(daemon):
    place = daemon.dir / "config"
    key_file = daemon.dir / "key"
    key_file.write_text(daemon.key)
    env = {k: v for k, v in daemon.cli_env().items() if not k.startswith("TAILGATE_")}
    done = subprocess.run([BIN / "tailgate", "configure", "--endpoint", daemon.url, "--api-key-file", str(key_file)],
                          env=env, capture_output=True)
    assert done.returncode == 0, done.stderr
    written = place / "tailgate/config.yaml"
    assert written.stat().st_mode & 0o777 == 0o600
    assert subprocess.run([BIN / "tailgate", "list"], env=env, capture_output=True).returncode == 0
    written.write_text("api_endpoint: [broken\n")
    done = subprocess.run([BIN / "tailgate", "list"], env=env, capture_output=True, text=True)
    assert done.returncode == 2 and "config.yaml" in done.stderr
