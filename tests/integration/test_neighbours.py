"""Many streams at once: full speed beside a quiet one, and what slow streams leave on disk."""
from tailgate import Gate, Reader, wait_for

QUIET_LINES, BATCH = 40, 50_000


def test_fairness__two_at_full_speed__a_quiet_one_and_the_api_are_served_beside_them(own_daemon):
    """In what time they are served, bench/run fairness says; here they are, while the others never pause.
    A small spool bounds what they are ahead of the server, and so how long it takes until they have ended."""
    daemon = own_daemon("--spool-bytes", "1MiB")
    stop = Gate(daemon)
    fast = [daemon.run(f"while [ ! -e {stop.path} ]; do seq {BATCH}; done")["execution_id"] for _ in range(2)]
    for i in fast:
        wait_for(lambda: daemon.status(i)["last_seq"] > 0, "lines of the fast one")
    gates = [Gate(daemon) for _ in range(QUIET_LINES)]
    quiet = daemon.run("; ".join(f"{gate.wait}; echo {n}" for n, gate in enumerate(gates)))["execution_id"]
    reader = Reader(daemon, quiet)
    before = [daemon.status(i)["last_seq"] for i in fast]
    for n, gate in enumerate(gates):
        gate.open()
        reader.read_until(n + 1)
        assert daemon.status(quiet)["last_seq"] == n + 1
    assert all(daemon.status(i)["last_seq"] > last for i, last in zip(fast, before))
    stop.open()
    reader.read_to_end()
    for i in fast:
        end = daemon.wait_status(i)
        assert end["status"] == "SUCCEEDED" and end["last_seq"] % BATCH == 0


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
