"""What one execution at full speed costs its neighbours: a quiet one's lines, and callers of the API."""
import http.client
import time

from measure import Row, Server, quantile

FULL_SPEED = 2  # executions; more than one, so that they compete among themselves as well
QUIET_RATE = 20


def call(connection, key, path):
    """Milliseconds from asking to the whole answer."""
    begin = time.monotonic()
    connection.request("GET", f"/api/v1{path}", headers={"X-API-Key": key})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, (path, answer.status)
    return (time.monotonic() - begin) * 1000


def call_until(server, load, paths):
    """One call after the other, a hundred a second, until the load client has ended."""
    connection, times = http.client.HTTPConnection("127.0.0.1", int(server.port)), []
    while load.process.poll() is None and not load.has_result():
        times.append(call(connection, server.daemon.key, paths[len(times) % len(paths)]))
        time.sleep(0.01)
    connection.close()
    return times


def one_run(server, lines, seconds):
    """The load client's report on the quiet execution, and the API's times."""
    fast = [server.emit(lines) for _ in range(FULL_SPEED)]
    quiet = server.emit(QUIET_RATE * seconds, QUIET_RATE, 1)
    runs = [*fast, quiet]
    for run, _, _ in runs:
        server.daemon.wait_status(run["execution_id"], ("RUNNING",))
    loads = [server.load("v1", 1, run, lines=lines, timeout=120) for run, _, _ in fast]
    loads.append(server.load("v1", 1, quiet[0], lines=QUIET_RATE * seconds, timeout=60, each_latency=True))
    try:
        for load in loads:
            load.ready()
        for _, gate, _ in runs:
            gate.open()
        times = call_until(server, loads[-1], [f"/executions/{quiet[0]['execution_id']}/status", "/executions?limit=10"])
        busy = all(not load.has_result() for load in loads[:-1])
        result = loads[-1].result()
        for load in loads[:-1]:
            load.result()
    finally:
        for load in loads:
            load.process.kill()
            load.process.wait()
        for _, gate, end in runs:
            gate.open()
            end.open()
    for run, _, _ in runs:
        server.finish(run)
    return result, times, busy


def fairness(repeat, quick):
    """Two executions at full speed beside a quiet one, all of them read, and a caller of the API."""
    lines, seconds = (1_000_000, 1) if quick else (5_000_000, 5)
    quiet, times, busy = [], [], True
    with Server() as server:
        for _ in range(repeat):
            result, calls, was_busy = one_run(server, lines, seconds)
            quiet.append(result)
            times.append(calls)
            busy = busy and was_busy
        turn = server.metric("tailgate_loop_turn_seconds_sum"), server.metric("tailgate_loop_turn_seconds_count")
    name = f"fairness, {FULL_SPEED} executions at full speed"
    note = "" if busy else "these ended before the quiet one"
    rows = [Row(f"{name}: quiet one's lines, p50", [r["p50_ms"] for r in quiet], "ms", note=note),
            Row(f"{name}: quiet one's lines, p99", [r["p99_ms"] for r in quiet], "ms", 50),
            Row(f"{name}: quiet one's lines, max", [r["max_ms"] for r in quiet], "ms", 50)]
    for what, q, bar in (("p50", 0.5, None), ("p99", 0.99, 100), ("max", 1, 100)):
        rows.append(Row(f"{name}: API calls, {what}", [quantile(t, q) for t in times], "ms", bar))
    rows.append(Row(f"{name}: a turn of the loop, mean", [turn[0] * 1000 / turn[1]], "ms"))
    return rows
