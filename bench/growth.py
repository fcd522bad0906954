"""What a line costs beside many others: executions at once, and executions stored."""
import http.client
import random
import time

from fairness import call
from measure import Row, Server, median, quantile

RATE = 50_000  # lines/s of all executions together
BURST = 500  # lines that one of them writes at once: as many lines a commit, whatever their number
START_MAX_S = 120
ENDING = 50  # executions that end at a time
DAYS = 10  # that the stored ones are of

FILL = """
SELECT tg_ensure_partition(tg_day(now()) - d) FROM generate_series(0, {days} - 1) d;
CREATE TEMP TABLE fill AS SELECT ((tg_day(now()) - i % {days}) << 32) + 1073741824 + i AS key, i FROM generate_series(1, {count}) i;
INSERT INTO executions (execution_key, execution_id, status, version, command, image_id, created_by, created_at, completed_at,
    exit_code, owner, last_seq, log_bytes)
SELECT key, lpad(to_hex(key), 16, '0') || substr(md5(i::text), 1, 16), 'SUCCEEDED', 3, 'make -j2 check', 'process',
    'user' || i % 100 || '@example.com', to_timestamp((key >> 32) * 86400) + i % 80000 * interval '1 second',
    to_timestamp((key >> 32) * 86400) + i % 80000 * interval '1 second', 0, 'elsewhere', 3, 200 FROM fill;
INSERT INTO execution_events (execution_key, version, to_status, cause) SELECT key, 1, 'STARTING', 'accepted' FROM fill;
INSERT INTO log_chunks (execution_key, first_seq, last_seq, raw_bytes, data) SELECT key, 1, 3, 200, decode(repeat(md5(i::text), 6), 'hex')
FROM fill;
"""


def start(server, executions, lines, rate):
    """One after the other, which paces them by itself; each waits at its gate."""
    begin, runs = time.monotonic(), []
    for _ in range(executions):
        runs.append(server.emit(lines, rate, BURST))
        if time.monotonic() - begin > START_MAX_S:
            raise TimeoutError(f"{len(runs)} of {executions} executions started in {START_MAX_S} s")
    for run, _, _ in runs:
        server.daemon.wait_status(run["execution_id"], ("RUNNING",))
    return runs


def finish(server, runs):
    """A few at a time: that many ends at once are not what is measured."""
    for at in range(0, len(runs), ENDING):
        for _, gate, end in runs[at:at + ENDING]:
            gate.open()
            end.open()
        for run, _, _ in runs[at:at + ENDING]:
            server.finish(run)


def spread(server, executions, seconds):
    """One reader each. The bursts are spread over time, so that RATE is the rate of every moment."""
    rate = max(1, RATE // executions)
    period = BURST / rate
    lines = BURST * max(1, round(seconds / period))
    runs = start(server, executions, lines, rate)
    load = server.load("v1", executions, [run for run, _, _ in runs], lines=lines, timeout=120)
    try:
        load.ready()
        before, begin = server.cpu(), time.monotonic()
        for n, (_, gate, _) in enumerate(runs):
            time.sleep(max(0, begin + period * n / executions - time.monotonic()))
            gate.open()
        result = load.result()
        after = server.cpu()
    finally:
        load.process.kill()
        load.process.wait()
        finish(server, runs)
    return {name: (after[name] - before[name]) * 1e9 / result["lines"] for name in after}


def rows_of(name, costs, base):
    return [Row(f"{name}: tailgated", [c["tailgated"] for c in costs], "ns/line"),
            Row(f"{name}: postgres", [c["postgres"] for c in costs], "ns/line"),
            Row(f"{name}: ratio to the first", [c["tailgated"] / base["tailgated"] for c in costs], "×", 2)]


def at_once(repeat, seconds, counts):
    rows, base = [], None
    for executions in counts:
        with Server("--max-live", "1100") as server:
            costs = [spread(server, executions, seconds) for _ in range(repeat)]
        base = base or {"tailgated": median([c["tailgated"] for c in costs])}
        rows += rows_of(f"growth, {executions} executions at once", costs, base)
    return rows


def growth(repeat, quick):
    """50,000 lines/s in bursts of 500 over all executions together."""
    return at_once(min(repeat, 2), 2 if quick else 10, (1, 10) if quick else (1, 100))


def growth_1000(repeat, quick):
    """Two thousand processes, waiting at FIFOs; a burst of each in 10 s: only when it is named."""
    return at_once(1, 2 if quick else 10, (1, 100) if quick else (1, 1000))


def api_times(server, runs, calls):
    """Milliseconds of lists and of status answers."""
    connection, times = http.client.HTTPConnection("127.0.0.1", int(server.port)), {"list": [], "status": []}
    for _ in range(calls):
        times["list"].append(call(connection, server.daemon.key, "/executions?limit=100"))
        times["status"].append(call(connection, server.daemon.key, f"/executions/{random.choice(runs)}/status"))
    connection.close()
    return times


def growth_stored(repeat, quick):
    """The same cost per line beside executions that have ended, each with a chunk; only when it is named."""
    count, calls, rows, base = (50_000, 100, [], None) if quick else (1_000_000, 500, [], None)
    with Server() as server:
        for stored in (0, count):
            if stored:
                server.daemon.sql(FILL.format(days=DAYS, count=stored) + "; ANALYZE")
                server.daemon.sql("VACUUM")
            costs = [spread(server, 1, 2 if quick else 10) for _ in range(repeat)]
            base = base or {"tailgated": median([c["tailgated"] for c in costs])}
            name = f"growth, {stored} executions stored"
            rows += rows_of(name, costs, base)
            ids = [r[0] for r in server.daemon.sql("SELECT execution_id FROM executions ORDER BY random() LIMIT 1000")]
            for what, times in api_times(server, ids, calls).items():
                for q, text in ((0.5, "p50"), (0.99, "p99")):
                    rows.append(Row(f"{name}: {what}, {text}", [quantile(times, q)], "ms"))
    return rows
