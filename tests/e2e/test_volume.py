"""The large promises: bounded disk while 2 GiB pass, small disk after a slow stream. They need minutes, so
they run once, on the uninstrumented build."""
import os
import threading
import time

from tailgate import Reader, wait_for

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
    stored = one.sql(f"SELECT log_bytes FROM executions WHERE execution_id = '{i}'")[0][0]
    assert int(stored) + end["last_seq"] in (2 * GIB, 2 * GIB + 1)  # newlines are not stored
    wait_for(lambda: disk_bytes(one.state / "runs") == 0, "the run directory to go")
    print(f"worst {worst / 2**20:.0f} MiB in runs/")


def test_slow_stream__disk_below_half_the_raw_bytes(own_daemon):
    """20 lines a second; TAILGATE_E2E_SECONDS=300 is the full length."""
    seconds = int(os.environ.get("TAILGATE_E2E_SECONDS", "60"))
    one = own_daemon()
    size = "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE relname LIKE 'log\\_%' AND relkind = 'r'"
    before = int(one.sql(size)[0][0])
    words = "2026-11-22T10:00:00Z INFO  build[4711]: compiling module $i of the tree, step $((i % 17)), took $((i * 37 % 900)) ms, ok"
    i = one.run(f"i=0; while [ $i -lt {20 * seconds} ]; do i=$((i + 1)); echo \"{words}\"; sleep 0.05; done")["execution_id"]
    end = one.wait_status(i, deadline=seconds * 2 + 60)
    assert end["last_seq"] == 20 * seconds
    raw = int(one.sql(f"SELECT log_bytes FROM executions WHERE execution_id = '{i}'")[0][0]) + end["last_seq"]
    used = wait_for(lambda: (n := int(one.sql(size)[0][0]) - before) < raw / 2 and (n + 1), "disk below half the raw bytes")
    print(f"{used - 1} bytes on disk for {raw} raw: {(used - 1) / raw:.2f}")
