"""Many streams at once: full speed beside a quiet one, and what slow streams leave on disk."""
import threading
import time

from tailgate import Reader, wait_for

QUIET_LINES, FULL_SPEED_LINES = 40, 1_500_000
# Generous: two cores, and builds beside it. bench/run fairness holds the real bounds.
LINE_MAX_S, CALL_MAX_S = 1.0, 1.0


def test_fairness__two_at_full_speed__a_quiet_one_and_the_api_are_not_delayed(daemon):
    fast = [daemon.run(f"seq {FULL_SPEED_LINES}") for _ in range(2)]
    for run in fast:
        wait_for(lambda: daemon.status(run["execution_id"])["last_seq"] > 0, "lines of the fast one")
    quiet = daemon.run(f"for i in $(seq {QUIET_LINES}); do date +%s.%N; sleep 0.05; done")
    delays, calls = [], []

    def read():
        reader = Reader(daemon, quiet["execution_id"])
        while reader.end is None:
            seen = len(reader.lines)
            reader.step()
            delays.extend(time.time() - float(line[2]) for line in reader.lines[seen:])

    thread = threading.Thread(target=read)
    thread.start()
    while thread.is_alive():
        begin = time.monotonic()
        daemon.status(quiet["execution_id"])
        calls.append(time.monotonic() - begin)
        time.sleep(0.02)
    thread.join()
    assert len(delays) == QUIET_LINES
    assert max(delays) < LINE_MAX_S, f"a line came {max(delays):.3f} s late"
    assert max(calls) < CALL_MAX_S, f"a call took {max(calls):.3f} s"
    for run in fast:
        assert daemon.wait_status(run["execution_id"])["last_seq"] == FULL_SPEED_LINES


def test_compression__chunks_of_all_sizes__byte_for_byte(daemon):
    """Inline and in the thread pool, in one execution, in order."""
    command = "for i in 1 2 3; do echo small $i; head -c 3000 /dev/zero | tr '\\0' a; echo; seq $((i * 20000)); sleep 0.1; done"
    run = daemon.run(command)
    assert daemon.wait_status(run["execution_id"])["status"] == "SUCCEEDED"
    expected = b"".join(b"small %d\n" % i + b"a" * 3000 + b"\n" + b"".join(b"%d\n" % n for n in range(1, i * 20000 + 1))
                        for i in (1, 2, 3))
    assert daemon.logs_txt(run["execution_id"]) == expected


def test_log_tail__after_slow_streams__little_is_left_on_disk(daemon):
    """Each line is a row until it is merged; when all have ended the table is as good as gone from the disk."""
    command = "for i in $(seq 1500); do echo line $i of a slow stream; done | while read l; do echo $l; sleep 0.001; done"
    runs = [daemon.run(command) for _ in range(8)]
    for run in runs:
        assert daemon.wait_status(run["execution_id"])["last_seq"] == 1500
    daemon.sql("INSERT INTO log_tail SELECT 1, n, n, 1, 'x' FROM generate_series(1, 50000) n")
    daemon.sql("DELETE FROM log_tail WHERE execution_key = 1")
    assert int(daemon.sql("SELECT pg_indexes_size('log_tail')")[0][0]) > 1 << 20
    last = daemon.run(command)
    assert daemon.wait_status(last["execution_id"])["last_seq"] == 1500
    wait_for(lambda: int(daemon.sql("SELECT pg_total_relation_size('log_tail')")[0][0]) < 200_000, "log_tail to be small")
    for run in [*runs, last]:
        lines = daemon.logs_txt(run["execution_id"]).decode().splitlines()
        assert lines == [f"line {n} of a slow stream" for n in range(1, 1501)]
