"""Small disk after a slow stream: 6,000 lines that are committed one by one."""
import os

from tailgate import wait_for

LINES = 6000
SIZE = "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE relname LIKE 'log\\_%' AND relkind = 'r'"
LINE = "2026-11-22T10:00:00Z INFO  build[4711]: compiling module $i of the tree, step $((i % 17)), took $((i * 37 % 900)) ms, ok"


def test_slow_stream__disk_below_half_the_raw_bytes(own_daemon):
    """As many lines as 20 a second make in 5 minutes; TAILGATE_E2E_FULL=1 takes those 5 minutes, otherwise 50 a
    second: each is a chunk of its own either way."""
    pause = "0.05" if os.environ.get("TAILGATE_E2E_FULL") else "0.02"
    one = own_daemon()
    before = int(one.sql(SIZE)[0][0])
    i = one.run(f'i=0; while [ $i -lt {LINES} ]; do i=$((i + 1)); echo "{LINE}"; sleep {pause}; done')["execution_id"]
    end = one.wait_status(i, deadline=500)
    assert end["last_seq"] == LINES
    raw = int(one.sql(f"SELECT log_bytes FROM executions WHERE execution_id = '{i}'")[0][0]) + LINES
    used = wait_for(lambda: (n := int(one.sql(SIZE)[0][0]) - before) < raw / 2 and n, "disk below half the raw bytes")
    print(f"{used} bytes on disk for {raw} raw: {used / raw:.2f}")
