"""A run whose output finds no room: its spool has reached --spool-bytes, or the disk is full."""
import os
import subprocess
import time

import pytest
from tailgate import Reader, wait_for

needs_private_cluster = pytest.mark.skipif("TAILGATE_TEST_DATABASE_URL" in os.environ,
                                           reason="the database is not ours to freeze")
LINES = 60000
COUNT = f"seq -f 'line %.0f' {LINES}"  # 0.6 MB, about 2 MB in the spool
ON_GO = "while [ ! -e go ]; do sleep 0.02; done; "


def wanted(n):
    return "".join(f"line {k}\n" for k in range(1, n + 1)).encode()


@pytest.fixture
def small_disk(own_daemon):
    """small_disk(*flags): a daemon whose run directories are on a file system of 1 MiB."""
    mounted = []

    def make(*flags):
        one = own_daemon(*flags, start=False)
        runs = one.state / "runs"
        runs.mkdir(mode=0o700)
        if os.getuid() != 0:
            pytest.skip("only root mounts a small disk")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "none", runs], check=True)
        mounted.append(runs)
        return one.start()

    yield make
    for runs in mounted:
        subprocess.run(["umount", "-l", runs], check=True)


def go(one, execution_id):
    (one.state / "workspaces" / execution_id / "go").touch()


def system_lines(one, execution_id):
    return [e["message"] for e in one.events(execution_id) if e["message"].startswith("tailgate: ")]


def check_whole(one, execution_id, reader):
    end = one.wait_status(execution_id)
    assert (end["status"], end["exit_code"]) == ("SUCCEEDED", 0), end
    assert one.logs_txt(execution_id) == wanted(LINES)
    reader.read_to_end()  # it checks that they come as 1, 2, 3 … once
    reader.ws.close()
    assert [line[2] for line in reader.lines if not line[2].startswith("tailgate: ")] == wanted(LINES).decode().splitlines()


def check_prefix(one, execution_id, reason):
    """The run failed for that reason; what is kept is the beginning of what it wrote."""
    end = one.wait_status(execution_id)
    assert (end["status"], end["reason"]) == ("FAILED", reason), end
    reader = Reader(one, execution_id).read_to_end()
    reader.ws.close()
    lines = [line[2] for line in reader.lines if not line[2].startswith("tailgate: ")]
    assert lines == [f"line {k}" for k in range(1, len(lines) + 1)]
    assert one.logs_txt(execution_id) == wanted(len(lines))
    said = system_lines(one, execution_id)
    assert len(said) == 1 and said[0].startswith(f"tailgate: {reason.replace('_', ' ')}: the command is ended"), said
    wait_for(lambda: not list((one.state / "runs").iterdir()), "the run directory to be removed")
    return lines


def is_idle(pid):
    """The process and all below it sleep; one that only waits for a processor does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    below = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return state.startswith(("S", "Z")) and all(is_idle(child) for child in below.split())


def await_standstill(one, execution_id, seconds=0.5):
    """Until the spool has not grown for so long and nobody is about to write: the command is blocked."""
    folder, seen = one.state / "runs" / execution_id, []
    runner = int((folder / "lock").read_text().split()[0])

    def stands():
        now, size = time.monotonic(), (folder / "spool").stat().st_size
        if not seen or seen[-1][1] != size or not is_idle(runner):
            seen.append((time.monotonic(), size))
        return size > 100 and now - seen[-1][0] >= seconds

    wait_for(stands, "the spool to be full")


@needs_private_cluster
def test_spool_full_block__waits_for_postgres_and_says_so(own_daemon):
    one = own_daemon("--spool-bytes", "64KiB")
    i = one.run(ON_GO + COUNT)["execution_id"]
    one.wait_status(i, ("RUNNING",))
    reader = Reader(one, i)
    with one.frozen_postgres():
        go(one, i)
        await_standstill(one, i, 1.5)
        assert one.request("GET", "/livez", key=None).status == 200
    check_whole(one, i, reader)
    assert [line for line in system_lines(one, i) if "output was blocked" in line and line.endswith("s: spool full")]


@needs_private_cluster
def test_spool_full_fail__ended_and_told(own_daemon):
    one = own_daemon("--spool-bytes", "64KiB", "--spool-full", "fail")
    i = one.run(ON_GO + "seq -f 'line %.0f' 100000000")["execution_id"]
    one.wait_status(i, ("RUNNING",))
    with one.frozen_postgres():
        go(one, i)
        wait_for(lambda: b"spool full: the command is ended" in (one.state / "runs" / i / "spool").read_bytes(), "the end")
    assert len(check_prefix(one, i, "spool_full")) > 500
    assert one.finish("echo room again")["status"] == "SUCCEEDED"


def test_disk_full_block__goes_on_with_each_commit(small_disk):
    one = small_disk()
    i = one.run(COUNT)["execution_id"]
    check_whole(one, i, Reader(one, i))


@needs_private_cluster
def test_disk_full_block__waits_for_postgres_and_says_so(small_disk):
    one = small_disk()
    i = one.run(ON_GO + COUNT)["execution_id"]
    one.wait_status(i, ("RUNNING",))
    reader = Reader(one, i)
    with one.frozen_postgres():
        go(one, i)
        await_standstill(one, i, 1.5)
    check_whole(one, i, reader)
    assert [line for line in system_lines(one, i) if "output was blocked" in line and line.endswith("s: disk full")]


@needs_private_cluster
def test_disk_full_fail__ended_and_told(small_disk):
    one = small_disk("--spool-full", "fail")
    i = one.run(ON_GO + COUNT + "; sleep 100")["execution_id"]
    one.wait_status(i, ("RUNNING",))
    with one.frozen_postgres():
        go(one, i)
        wait_for(lambda: b"disk full: the command is ended" in (one.state / "runs" / i / "spool").read_bytes(), "the end")
    check_prefix(one, i, "disk_full")
    assert one.finish("echo room again")["status"] == "SUCCEEDED"


@needs_private_cluster
def test_disk_full_block_stopped__ends_although_there_is_no_room(small_disk):
    one = small_disk()
    i = one.run(ON_GO + "seq -f 'line %.0f' 100000000")["execution_id"]
    one.wait_status(i, ("RUNNING",))
    (one.state / "runs" / "ballast").write_bytes(b"")
    with one.frozen_postgres():
        go(one, i)
        await_standstill(one, i)
        with open(one.state / "runs" / "ballast", "ab", buffering=0) as ballast:
            while True:  # what commits give back goes here
                try:
                    ballast.write(b"x" * 4096)
                except OSError:
                    break
        runner = int((one.state / "runs" / i / "lock").read_text().split()[0])
        os.kill(runner, 15)
        wait_for(lambda: b"from here on is lost" in (one.state / "runs" / i / "spool").read_bytes(), "the end")
    end = one.wait_status(i)
    assert end["status"] == "STOPPED", end
    lines = one.logs_txt(i).decode().splitlines()
    assert lines == [f"line {k}" for k in range(1, len(lines) + 1)]


def test_disk_full_before_the_start__says_so(small_disk):
    one = small_disk()
    ballast = one.state / "runs" / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    end = one.finish("echo never")
    assert (end["status"], end["reason"]) == ("FAILED", "start_failed"), end
    ballast.unlink()
    assert one.finish("echo room again")["status"] == "SUCCEEDED"
