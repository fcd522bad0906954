"""How commands run and end: exit codes, signals, timeout, stop, environment, bytes."""

import pytest
from tailgate import Reader, wait_for

BYTES = rb"""printf 'a\tb\r\n\377\376 bad utf8\n\033[31mred\033[0m\nno newline at end'""".decode()
WANTED = b"a\tb\r\n\xff\xfe bad utf8\n\x1b[31mred\x1b[0m\nno newline at end"

ENDS = [
    # command, status, exit code, signal, reason
    ("true", "SUCCEEDED", 0, None, None),
    ("exit 7", "FAILED", 7, None, None),
    ("kill -9 $$", "FAILED", 137, 9, None),
    ("kill -TERM $$", "FAILED", 143, 15, None),
    ("no-such-command-here", "FAILED", 127, None, None),
]


@pytest.mark.parametrize("command,status,code,signal,reason", ENDS)
def test_end__table(daemon, command, status, code, signal, reason):
    end = daemon.finish(command)
    assert (end["status"], end["exit_code"], end.get("signal"), end.get("reason")) == (status, code, signal, reason)


def test_timeout__failed_124(daemon):
    end = daemon.finish("echo before; sleep 60", timeout=3, grace=1)
    assert (end["status"], end["exit_code"], end["reason"]) == ("FAILED", 124, "timeout")
    assert b"before\n" in daemon.logs_txt(end["execution_id"])


def test_stop__ignored_term_is_killed_after_grace(daemon):
    i = daemon.run("trap '' TERM; echo ready; while :; do sleep 0.1; done", grace=1)["execution_id"]
    Reader(daemon, i).read_until(1)
    assert daemon.request("DELETE", f"/api/v1/executions/{i}").status == 200
    end = daemon.wait_status(i)
    assert (end["status"], end["exit_code"]) == ("STOPPED", 130)


def test_background_child__does_not_hold_the_end(daemon):
    end = daemon.finish("sleep 600 & echo done")
    assert end["status"] == "SUCCEEDED" and daemon.logs_txt(end["execution_id"]) == b"done\n"


def test_bytes__come_back_as_written(daemon):
    end = daemon.finish(BYTES)
    assert daemon.logs_txt(end["execution_id"]) == WANTED


def test_bytes__parts_with_pauses_join(daemon):
    end = daemon.finish("for i in 1 2 3; do printf \"part $i \"; sleep 0.4; done; echo; printf tail; sleep 0.4")
    i = end["execution_id"]
    assert daemon.logs_txt(i) == b"part 1 part 2 part 3 \ntail"
    reader = Reader(daemon, i).read_to_end()
    assert any(len(line) == 4 and line[3] == 1 for line in reader.lines)


def test_long_line__is_cut_and_joined(daemon):
    end = daemon.finish("head -c 200000 /dev/zero | tr '\\0' x; echo")
    assert daemon.logs_txt(end["execution_id"]) == b"x" * 200000 + b"\n"
    assert end["last_seq"] == 4


def test_streams__told_apart(daemon):
    end = daemon.finish("echo out; sleep 0.2; echo err >&2")
    lines = Reader(daemon, end["execution_id"]).read_to_end().lines
    assert [(line[1], line[2]) for line in lines] == [("o", "out"), ("e", "err")]


def test_environment__exactly_what_was_given(daemon):
    end = daemon.finish("env | sort", env={"GREETING": "hello world", "EMPTY": ""})
    text = daemon.logs_txt(end["execution_id"]).decode()
    names = {line.split("=", 1)[0] for line in text.splitlines()}
    assert "GREETING=hello world\n" in text and "EMPTY=\n" in text
    assert not [n for n in names if n.startswith(("TAILGATE_TEST", "PG", "PYTHON", "SUDO"))], names
    assert {"PATH", "HOME"} <= names


def test_workspace__private_and_writable(daemon):
    end = daemon.finish("pwd; id -u; echo data > file && cat file; touch \"$TMPDIR/t\" && echo tmp ok")
    lines = daemon.logs_txt(end["execution_id"]).decode().splitlines()
    assert lines[0].startswith(str(daemon.state)) and lines[0] != str(daemon.state)
    assert lines[1] != "0" and lines[2:] == ["data", "tmp ok"]


def test_tty__one_stream_in_order(daemon):
    end = daemon.finish("test -t 1 && echo terminal; echo err >&2; echo out", tty=True)
    lines = Reader(daemon, end["execution_id"]).read_to_end().lines
    assert [line[2].rstrip("\r") for line in lines] == ["terminal", "err", "out"]
    assert {line[1] for line in lines} == {"o"}


def test_timestamps__never_decrease(daemon):
    end = daemon.finish("for i in $(seq 200); do echo $i; echo $i >&2; done")
    events = daemon.events(end["execution_id"])
    times = [e["timestamp"] for e in events]
    assert times == sorted(times) and len(events) == 400
    assert [e["event_id"] for e in events] == [f"{end['execution_id']}-{n:020d}" for n in range(1, 401)]


def test_history__passes_through_running(daemon):
    end = daemon.finish("true")
    rows = daemon.sql("SELECT to_status FROM execution_events e JOIN executions x USING (execution_key) "
                      f"WHERE execution_id = '{end['execution_id']}' ORDER BY e.version")
    assert [r[0] for r in rows] == ["STARTING", "RUNNING", "SUCCEEDED"]


def test_run_directory__removed_after_the_end(daemon):
    end = daemon.finish("echo x")
    wait_for(lambda: not (daemon.state / "runs" / end["execution_id"]).exists(), "the run directory to go")


def test_workspace__removed_after_retention(own_daemon):
    one = own_daemon("--workspace-retention", "1s")
    end = one.finish("mkdir -p a/b; touch a/b/c; ln -s /etc link; pwd")
    place = one.logs_txt(end["execution_id"]).decode().strip()
    import os
    wait_for(lambda: not os.path.exists(place), "the workspace to go")
    assert os.path.exists("/etc/passwd")
