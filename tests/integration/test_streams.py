"""Readers: Runvoy's stream, tailgate.v1, pages, logs.txt."""
import concurrent.futures
import json
import re

import pytest
import websocket
from tailgate import Gate, Reader, close_frame, read_runvoy_stream


def refused(daemon, path, **more):
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        daemon.websocket(path, **more)
    return caught.value.status_code


def test_runvoy_stream__20000_lines_three_readers(daemon):
    run = daemon.run("seq 20000")

    def read(_):
        return read_runvoy_stream(daemon.websocket(run["websocket_url"], subprotocol=None, key=None))

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for lines, disconnect, code, reason in pool.map(read, range(3)):
            assert [m["message"] for m in lines] == [str(n) for n in range(1, 20001)]
            assert all(set(m) == {"event_id", "timestamp", "message"} for m in lines)
            assert disconnect == {"type": "disconnect", "reason": "execution_completed"}
            assert code == 1000 and reason


def test_runvoy_stream__after_the_end_and_resume(daemon):
    run = daemon.run("echo one; echo; echo three")
    daemon.wait_status(run["execution_id"])
    lines, disconnect, code, _ = read_runvoy_stream(daemon.websocket(run["websocket_url"], subprotocol=None, key=None))
    assert [m["message"] for m in lines] == ["one", " ", "three"] and disconnect and code == 1000
    lines, _, _, _ = read_runvoy_stream(daemon.websocket(run["websocket_url"] + "&after=2", subprotocol=None, key=None))
    assert [m["message"] for m in lines] == ["three"]
    resume = f"&last_event_id={run['execution_id']}-{1:020d}"
    lines, _, _, _ = read_runvoy_stream(daemon.websocket(run["websocket_url"] + resume, subprotocol=None, key=None))
    assert [m["message"] for m in lines] == [" ", "three"]


def test_runvoy_stream__refusals_before_the_upgrade(daemon):
    one, two = daemon.run("true"), daemon.run("true")
    token = re.search(r"token=([^&]+)", one["websocket_url"]).group(1)
    base = "/api/v1/stream"
    assert refused(daemon, base, subprotocol=None, key=None) == 400
    assert refused(daemon, f"{base}?execution_id={one['execution_id']}", subprotocol=None, key=None) == 401
    assert refused(daemon, f"{base}?execution_id={one['execution_id']}&token=bad", subprotocol=None, key=None) == 403
    assert refused(daemon, f"{base}?execution_id={two['execution_id']}&token={token}", subprotocol=None, key=None) == 403
    assert refused(daemon, one["websocket_url"], subprotocol=None, key=None, headers={"Origin": "https://evil.example"}) == 403


def test_token__never_in_the_log(daemon):
    run = daemon.run("true")
    token = re.search(r"token=([^&]+)", run["websocket_url"]).group(1)
    read_runvoy_stream(daemon.websocket(run["websocket_url"], subprotocol=None, key=None))
    text = daemon.log_path.read_text()
    assert token not in text and daemon.key not in text


def test_v1__whole_conversation(daemon):
    gate = Gate(daemon)
    i = daemon.run(f"echo a; {gate.wait}; echo b; exit 4")["execution_id"]
    reader = Reader(daemon, i).read_until(1)
    while "live" not in reader.types():
        reader.step()
    gate.open()
    reader.read_to_end()
    assert [line[2] for line in reader.lines] == ["a", "b"]
    hello, subscribed = reader.messages[0], reader.messages[1]
    assert hello["type"] == "hello" and hello["version"] and hello["user"] and hello["session"]
    assert subscribed["type"] == "subscribed" and subscribed["execution_id"] == i
    assert reader.types().count("live") == 1 and reader.types()[-1] == "end"
    assert reader.end["status"] == "FAILED" and reader.end["exit_code"] == 4 and reader.end["last_seq"] == 2
    versions = [m["version"] for m in reader.messages if m["type"] == "status"]
    assert versions == sorted(set(versions))


def test_v1__auth_by_first_message(daemon):
    ws = daemon.websocket(key=None)
    ws.send(json.dumps({"type": "auth", "key": daemon.key}))
    assert json.loads(ws.recv())["type"] == "hello"


def test_v1__wrong_key_4401(daemon):
    ws = daemon.websocket(key=None)
    ws.send(json.dumps({"type": "auth", "key": "tg_" + "A" * 49}))
    frames = []
    while True:
        opcode, data = ws.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            break
        frames.append(json.loads(data))
    assert int.from_bytes(data[:2], "big") == 4401
    assert all(f["type"] == "error" for f in frames)


def test_v1__no_auth_4408(own_daemon):
    one = own_daemon("--auth-timeout", "1s")
    code, reason = close_frame(one.websocket(key=None))
    assert code == 4408 and reason


HOSTILE = [
    ("{", "INVALID_REQUEST"), ("[]", "INVALID_REQUEST"), ('{"type":"nope"}', "INVALID_REQUEST"),
    ('{"type":"subscribe"}', "INVALID_REQUEST"), ('{"type":"subscribe","execution_id":"x"}', None),
    ('{"type":"subscribe","execution_id":"' + "0" * 32 + '"}', "NOT_FOUND"),
    ('{"type":"subscribe","execution_id":"' + "0" * 32 + '","after":-1}', "INVALID_REQUEST"),
    ('{"type":"unsubscribe","execution_id":"' + "0" * 32 + '"}', None),
]


def test_v1__bad_messages_answer_and_socket_lives(daemon):
    ws = daemon.websocket()
    assert json.loads(ws.recv())["type"] == "hello"
    for text, code in HOSTILE:
        ws.send(text)
        if code is None and "unsubscribe" in text:
            continue
        message = json.loads(ws.recv())
        assert message["type"] == "error", (text, message)
        assert code is None or message["code"] == code, (text, message)
    i = daemon.finish("echo still here")["execution_id"]
    ws.send(json.dumps({"type": "subscribe", "execution_id": i}))
    while True:
        message = json.loads(ws.recv())
        if message["type"] == "logs":
            assert message["lines"][0][2] == "still here"
            break


def test_v1__binary_1003_and_oversize_1009(daemon):
    ws = daemon.websocket()
    ws.recv()
    ws.send_binary(b"x")
    assert close_frame(ws)[0] == 1003
    ws = daemon.websocket()
    ws.recv()
    ws.send("x" * 70000)
    assert close_frame(ws)[0] == 1009


def test_v1__after_tail_and_follow_false(daemon):
    i = daemon.finish("seq 1000")["execution_id"]
    assert [line[2] for line in Reader(daemon, i, after=997).read_to_end().lines] == ["998", "999", "1000"]
    tail = Reader(daemon, i, tail=2, after=998)
    tail.ws.close()
    ws = daemon.websocket()
    ws.send(json.dumps({"type": "subscribe", "execution_id": i, "tail": 2}))
    lines = []
    while True:
        message = json.loads(ws.recv())
        if message["type"] == "logs":
            assert message["first"] == 999
            lines += [line[2] for line in message["lines"]]
        if message["type"] == "end":
            break
    assert lines == ["999", "1000"]


def test_v1__many_executions_on_one_socket(daemon):
    ids = [daemon.run(f"for n in $(seq 200); do echo {k}-$n; done")["execution_id"] for k in range(5)]
    ws = daemon.websocket()
    for i in ids:
        ws.send(json.dumps({"type": "subscribe", "execution_id": i}))
    seen, ended = {i: [] for i in ids}, set()
    while len(ended) < 5:
        message = json.loads(ws.recv())
        if message["type"] == "logs":
            lines = seen[message["execution_id"]]
            assert message["first"] == len(lines) + 1
            lines += [line[2] for line in message["lines"]]
        elif message["type"] == "end":
            ended.add(message["execution_id"])
    for k, i in enumerate(ids):
        assert seen[i] == [f"{k}-{n}" for n in range(1, 201)]


def test_v1__unsubscribe_stops_lines(daemon):
    gate = Gate(daemon)
    i = daemon.run(f"seq 5; {gate.wait}; seq 95")["execution_id"]
    reader = Reader(daemon, i).read_until(5)
    reader.ws.send(json.dumps({"type": "unsubscribe", "execution_id": i}))
    reader.ws.send(json.dumps({"type": "subscribe", "execution_id": "0" * 32}))
    while reader.step()["type"] != "error":
        pass
    gate.open()
    daemon.wait_status(i)
    reader.ws.settimeout(0.5)
    with pytest.raises(websocket.WebSocketTimeoutException):
        while reader.step()["type"] != "logs":
            pass


def test_v1__invalid_utf8_arrives_as_replacement(daemon):
    i = daemon.finish(r"printf '\377\376 bad \342\202 utf8\n'")["execution_id"]
    assert Reader(daemon, i).read_to_end().lines[0][2] == "\ufffd\ufffd bad \ufffd utf8"


def test_v1__slow_reader_is_not_skipped(own_daemon):
    one = own_daemon("--ring-bytes", "1MiB")
    i = one.run("seq 400000")["execution_id"]
    slow = Reader(one, i).read_until(1)
    one.wait_status(i)
    slow.read_to_end()
    assert slow.position == 400000
    assert [line[2] for line in slow.lines] == [str(n) for n in range(1, 400001)]


def test_logs__runvoys_form_before_and_after(daemon):
    gate = Gate(daemon)
    run = daemon.run(f"echo x; {gate.wait}")
    i = run["execution_id"]
    daemon.wait_status(i, ("RUNNING",))
    body = daemon.get(f"/executions/{i}/logs").json
    assert body["events"] is None and body["websocket_url"].startswith("ws") and body["status"] == "RUNNING"
    gate.open()
    daemon.wait_status(i)
    body = daemon.get(f"/executions/{i}/logs").json
    assert "websocket_url" not in body and [e["message"] for e in body["events"]] == ["x"]


def test_logs__pages(daemon):
    i = daemon.finish("seq 500")["execution_id"]
    page = daemon.get(f"/executions/{i}/logs?after=10&limit=5").json["events"]
    assert [e["message"] for e in page] == ["11", "12", "13", "14", "15"]
    assert {e["stream"] for e in page} == {"stdout"} and not any("part" in e for e in page)
    assert [e["message"] for e in daemon.get(f"/executions/{i}/logs?tail=2").json["events"]] == ["499", "500"]
    assert daemon.get(f"/executions/{i}/logs?after=500&limit=5").json["events"] == []
    for query in ("after=-1", "after=x", "limit=-2", "tail=x"):
        assert daemon.get(f"/executions/{i}/logs?{query}").status == 400


def test_logs_txt__follow_goes_to_the_end(daemon):
    gates = [Gate(daemon) for _ in range(2)]
    i = daemon.run(f"echo 1; {gates[0].wait}; echo 2; {gates[1].wait}; echo 3")["execution_id"]
    response = daemon.open(f"/executions/{i}/logs.txt?follow=1")
    for n, gate in enumerate(gates, 1):
        assert response.readline() == b"%d\n" % n
        gate.open()
    assert response.read() == b"3\n"


def test_empty_execution__end_only(daemon):
    i = daemon.finish("true")["execution_id"]
    assert Reader(daemon, i).read_to_end().lines == []
    assert daemon.logs_txt(i) == b"" and daemon.events(i) == []
