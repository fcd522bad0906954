"""The figures, one function each: a Figure with rows of name, bar, values; `quick` makes them small."""
import http.client
import json
import shutil
import subprocess
import time
import urllib.parse

import websocket

import measure
from fairness import fairness
from growth import growth, growth_1000, growth_stored
from measure import Load, Row, Server, bare, free_port, live, median, wait_for_port
from peers import peers
from viewer import viewer

CHUNKS_BYTES = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname ~ '^log_chunks_[0-9]{8}$'"
TAIL_BYTES = "SELECT pg_total_relation_size('log_tail')"
TIDY_BYTES, TIDY_MAX_S = 300_000, 30  # what the keeper leaves alone, and how long it may take
RAW_BYTES = "SELECT sum(log_bytes) FROM executions"


def cpu_rows(name, results, bar, note=""):
    rows = [Row(f"{name}: tailgated", [r["cpu_ns"]["tailgated"] for r in results], "ns/line", bar, note=note)]
    for other in ("postgres", "runner"):
        rows.append(Row(f"{name}: {other}, beside it", [r["cpu_ns"][other] for r in results], "ns/line"))
    return rows


def cpu_v1(repeat, quick):
    """50 and 500 readers of one execution; the bare program right after each run."""
    rows = []
    with Server() as server:
        for readers, rate, burst, seconds in ((50, 100000, 1000, 5), (500, 10000, 250, 5), (50, 2000, 1, 5)):
            seconds = 1 if quick else seconds
            ours, yardstick, fast = [], [], []
            for _ in range(repeat):
                ours.append(live(server, "v1", readers, rate * seconds, rate, burst))
                yardstick.append(bare(readers, rate * seconds, rate, burst)["ns_per_line"])
                fast.append(bare(readers, rate * seconds, 0, 400)["ns_per_line"])
            name = f"cpu_v1, {readers} readers, {rate} lines/s"
            frame = median([r["lines"] / r["frames"] for r in ours])
            rows += cpu_rows(name, ours, 2 * median(yardstick), f"bar: 2 × bare; {frame:.0f} lines a frame")
            rows.append(Row(f"{name}: bare, same pace, {burst} lines a frame", yardstick, "ns/line"))
            rows.append(Row(f"{name}: bare, as fast as read, 400 lines a frame", fast, "ns/line"))
            ratios = [o["cpu_ns"]["tailgated"] / y for o, y in zip(ours, yardstick)]
            rows.append(Row(f"{name}: ratio to bare", ratios, "×", 2))
    return rows


def cpu_runvoy(repeat, quick):
    rows = []
    with Server() as server:
        for readers, rate, burst in ((50, 20000, 200), (500, 2000, 50)):
            seconds = 1 if quick else 5
            results = [live(server, "runvoy", readers, rate * seconds, rate, burst) for _ in range(repeat)]
            rows += cpu_rows(f"cpu_runvoy, {readers} readers, {rate} lines/s", results, 500)
    return rows


def websocketd_rate(lines):
    """Its lines per second to one reader, and CPU ns per line."""
    port = free_port()
    process = subprocess.Popen(["websocketd", f"--port={port}", "--address=127.0.0.1", "--loglevel=error",
                                measure.programs["emit"], str(lines), "0", "1", str(measure.LINE_BYTES), "-", "-"])
    try:
        wait_for_port(port)
        cpu = measure.cpu_of([process.pid])
        load = Load(port=port, protocol="text", path="/", readers=1, lines=lines, timeout=30)
        load.ready()
        result = load.result()
        return (result["lines"] / result["seconds_from_write"],
                (measure.cpu_of([process.pid]) - cpu) * 1e9 / result["lines"])
    finally:
        process.kill()
        process.wait()


def throughput(repeat, quick):
    """From the first line's stamp to the last line at one reader, all of it committed."""
    lines = 300_000 if quick else 3_000_000
    rates, peer, results = [], [], []
    with Server() as server:
        for _ in range(repeat):
            results.append(live(server, "v1", 1, lines, 0, 1))
            rates.append(lines / results[-1]["seconds_from_write"])
            if shutil.which("websocketd"):
                peer.append(websocketd_rate(50_000 if quick else 150_000))
    rows = [Row("throughput, one command → durable → one reader", rates, "lines/s", 500_000, True)]
    rows += cpu_rows("throughput", results, None)
    if peer:
        rows.append(Row("throughput: websocketd", [p[0] for p in peer], "lines/s"))
        rows.append(Row("throughput: websocketd CPU", [p[1] for p in peer], "ns/line"))
        rows.append(Row("throughput: ratio to websocketd", [r / p[0] for r, p in zip(rates, peer)], "×", 10, True))
    return rows


def latency(repeat, quick):
    readers, rate, seconds = 200, 200, 2 if quick else 10
    results = []
    with Server() as server:
        for _ in range(repeat):
            results.append(live(server, "v1", readers, rate * seconds, rate, 1, each_latency=True))
    name = f"latency, {rate} lines/s → {readers} readers"
    return [Row(f"{name}: p50", [r["p50_ms"] for r in results], "ms"),
            Row(f"{name}: p99", [r["p99_ms"] for r in results], "ms", 25),
            Row(f"{name}: max", [r["max_ms"] for r in results], "ms")]


def idle(repeat, quick):
    """Growth of tailgated's resident memory from 100 connections to all of them."""
    count, values, seconds = 1000 if quick else 10_000, [], []
    for _ in range(1 if quick else min(repeat, 2)):
        with Server() as server:
            run, gate, end = server.emit(1, 0, 1)
            server.daemon.wait_status(run["execution_id"], ("RUNNING",))
            few = server.load("v1", 100, run, hold=True, timeout=30)
            few.ready()
            before = measure.resident_kib(server.daemon.pid())
            many = server.load("v1", count - 100, run, hold=True, timeout=120)
            seconds.append(many.ready())
            assert many.ready_count == count - 100, f"only {many.ready_count} got ready"
            time.sleep(1)
            values.append((measure.resident_kib(server.daemon.pid()) - before) / (count - 100))
            for load in (few, many):
                load.process.stdin.close()
                load.process.wait()
            gate.open()
            server.finish(run, end)
    return [Row(f"idle, {count} subscribed connections", values, "KiB each", 8),
            Row("idle: time to connect and subscribe them all", seconds, "s")]


def stored(server, lines, kind=""):
    run, gate, _ = server.emit(lines, 0, 1, kind, stop=False)
    gate.open()
    status = server.finish(run, deadline=120)
    assert status["last_seq"] >= lines, status
    return run


def replay(repeat, quick):
    lines = 100_000 if quick else 1_000_000
    with Server() as server:
        run = stored(server, lines)
        results = []
        for _ in range(repeat + 1):
            load = server.load("v1", 1, run, after=0, until_end=True, lines=lines, timeout=60)
            before = server.cpu()
            load.ready()
            results.append(load.result())
            after = server.cpu()
            results[-1]["cpu_ns"] = {n: (after[n] - before[n]) * 1e9 / lines for n in after}
    results = results[1:]  # the first one warms PostgreSQL's cache
    return [Row(f"replay, {lines} stored lines → one reader", [lines / r["seconds_from_ask"] for r in results],
                "lines/s", 1_000_000, True), *cpu_rows("replay", results, None)[:2]]


def tail(repeat, quick):
    lines, asks = (100_000, 50) if quick else (1_000_000, 300)
    with Server() as server:
        run = stored(server, lines)
        results = []
        for _ in range(repeat):
            load = server.load("v1", 1, run, tail=1000, repeat=asks, timeout=60)
            load.ready()
            results.append(load.result())
            assert results[-1]["lines"] == asks * 1000, results[-1]
    return [Row(f"tail, last 1,000 of {lines} lines: p50", [r["ask_p50_ms"] for r in results], "ms"),
            Row(f"tail, last 1,000 of {lines} lines: p99", [r["ask_p99_ms"] for r in results], "ms", 10)]


def search(repeat, quick):
    """Every line of a stored log looked at, and none or few found; pages until there is no more."""
    lines, rows = 100_000 if quick else 1_000_000, []
    with Server() as server:
        run = stored(server, lines)
        for name, query in (("text", {"q": "no such line"}), ("text, any case", {"q": "no such line", "ignore_case": 1}),
                            ("expression", {"regex": "no such [a-z]+ [0-9]+$"})):
            seconds = []
            for _ in range(repeat + 1):
                seconds.append(search_all(server, run["execution_id"], query))
            rows.append(Row(f"search, {lines} stored lines: {name}", [lines / s for s in seconds[1:]], "lines/s"))
    return rows


def search_all(server, execution_id, query):
    began, page = time.monotonic(), {"more": True}
    while page["more"]:
        place = {"cursor": page["cursor"]} if "cursor" in page else {}
        answer = server.daemon.get(f"/executions/{execution_id}/logs?{urllib.parse.urlencode({**query, **place})}", timeout=60)
        assert answer.status == 200, answer
        page = answer.json
    return time.monotonic() - began


def disk_parts(server):
    """By raw bytes: the chunks, and the table in which the lines of slow streams waited, once the server has tidied it up."""
    end = time.monotonic() + TIDY_MAX_S
    while int(server.daemon.sql(TAIL_BYTES)[0][0]) > TIDY_BYTES and time.monotonic() < end:
        time.sleep(0.5)
    chunks, tail_table, raw = (int(server.daemon.sql(q)[0][0]) for q in (CHUNKS_BYTES, TAIL_BYTES, RAW_BYTES))
    return chunks / raw, tail_table / raw


def disk(repeat, quick):
    full, slow = [], []
    for _ in range(1 if quick else repeat):
        with Server() as server:
            stored(server, 100_000 if quick else 1_000_000, "ci")
            full.append(disk_parts(server))
    executions, seconds = (20, 4) if quick else (100, 60)
    with Server() as server:
        runs = [server.emit(50 * seconds, 50, 1, "ci", stop=False) for _ in range(executions)]
        for _, gate, _ in runs:
            gate.open()
        for run, _, _ in runs:
            server.finish(run, deadline=seconds + 120)
        slow.append(disk_parts(server))
    rows = []
    for name, parts in (("1 execution at full speed", full),
                        (f"{executions} executions of {seconds} s at 50 lines/s", slow)):
        rows.append(Row(f"disk, {name}", [sum(p) for p in parts], "× raw", 0.35))
        rows.append(Row(f"disk, {name}: of it log_tail, empty", [p[1] for p in parts], "× raw"))
    return rows


def start(repeat, quick):
    """POST /run → first line: on a new Runvoy stream, and on an open tailgate.v1 socket."""
    times = {"runvoy": [], "v1": []}
    with Server() as server:
        port, key = int(server.port), server.daemon.key
        http_connection = http.client.HTTPConnection("127.0.0.1", port)
        socket = websocket.create_connection(f"ws://127.0.0.1:{port}/api/v1/ws", subprotocols=["tailgate.v1"],
                                             header=[f"X-API-Key: {key}"], timeout=20)
        for _ in range(10 if quick else 20 * repeat):
            for way, samples in times.items():
                begin = time.monotonic()
                http_connection.request("POST", "/api/v1/run", json.dumps({"command": "echo first"}),
                                        {"X-API-Key": key, "Content-Type": "application/json"})
                run = json.loads(http_connection.getresponse().read())
                (first_runvoy if way == "runvoy" else first_v1)(socket, run)
                samples.append((time.monotonic() - begin) * 1000)
                server.finish(run)
        socket.close()
    return [Row("start, POST /run → first line, new Runvoy stream: p50", times["runvoy"], "ms", 50),
            Row("start, POST /run → first line, open tailgate.v1 socket: p50", times["v1"], "ms", 50)]


def first_runvoy(_, run):
    stream = websocket.create_connection(run["websocket_url"], timeout=20)
    stream.recv()
    stream.close()


def first_v1(socket, run):
    socket.send(json.dumps({"type": "subscribe", "execution_id": run["execution_id"]}))
    seen = None
    while seen != "logs":
        seen = json.loads(socket.recv())["type"]
    socket.send(json.dumps({"type": "unsubscribe", "execution_id": run["execution_id"]}))


def redact(repeat, quick):
    """20 secrets in all their forms, looked for in lines of 120 bytes; no server needed."""
    results = [json.loads(subprocess.run([measure.programs["redact"]], check=True, capture_output=True).stdout)
               for _ in range(repeat)]
    note = f"{results[0]['nodes']} bytes of forms, built in {median([r['build_ms'] for r in results]):.1f} ms"
    return [Row("redact: lines as builds print them", [r["lines_mb_s"] for r in results], "MB/s", 400, True, note),
            Row("redact: random base64", [r["base64_mb_s"] for r in results], "MB/s", 400, True)]


FIGURES = {f.__name__: f for f in (redact, cpu_v1, cpu_runvoy, throughput, latency, idle, replay, tail, search, disk, start, fairness, growth,
                                  growth_1000, growth_stored, peers, viewer)}
