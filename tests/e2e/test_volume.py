"""Bounded disk while 2 GiB pass. It needs half a minute, so it runs once, on the uninstrumented build."""
import os
import time

from tailgate import wait_for

GIB = 1 << 30
SPOOL_BOUND = 256 << 20


def disk_bytes(place):
    total = 0
    for folder, _, files in os.walk(place):
        for name in files:
            try:
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except FileNotFoundError:
                pass
    return total


def system_lines(one, execution_id):
    """What the server itself said, found by its name among all lines."""
    found, query = [], "q=tailgate:&limit=1000"
    while query:
        page = one.get(f"/executions/{execution_id}/logs?{query}").json
        found += [e["message"] for e in page["events"]]
        query = page["more"] and f"q=tailgate:&limit=1000&cursor={page['cursor']}"
    return found


def test_two_gib__state_dir_stays_bounded(own_daemon):
    one = own_daemon()
    # 64 bytes a line that zstd folds to nothing: the bytes pass the spool, hardly the database.
    i = one.run("yes 'the same sixty-four bytes of text, over and over, to the very end.' | head -c 2147483648")["execution_id"]
    worst = 0
    deadline = time.monotonic() + 420
    while one.status(i)["status"] not in ("SUCCEEDED", "FAILED", "STOPPED"):
        worst = max(worst, disk_bytes(one.state / "runs"))
        assert time.monotonic() < deadline, one.status(i)
        time.sleep(0.2)
    end = one.status(i)
    assert end["status"] == "SUCCEEDED" and worst <= SPOOL_BOUND, (end, worst)
    stored = int(one.sql(f"SELECT log_bytes FROM executions WHERE execution_id = '{i}'")[0][0])
    told = system_lines(one, i)  # that the spool was full, where the machine is slow
    lines = end["last_seq"] - len(told)
    assert stored - sum(map(len, told)) + lines in (2 * GIB, 2 * GIB + 1), told  # newlines are not stored
    wait_for(lambda: disk_bytes(one.state / "runs") == 0, "the run directory to go")
    print(f"worst {worst / 2**20:.0f} MiB in runs/")
