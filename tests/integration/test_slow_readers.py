"""Readers that stand still, and readers that are slow but alive."""
import http.client
import json
import re
import socket
import ssl
import subprocess
import time
import urllib.parse

import pytest
import websocket
from tailgate import DEADLINE, Daemon, Reader, wait_for

IDLE_S = 5  # more than a busy machine keeps an honest reader waiting
LINES = 400_000
REASON = f"the reader took nothing for {IDLE_S} s"
SMALL = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)]


@pytest.fixture(scope="module")
def impatient():
    one = Daemon("--reader-idle-timeout", f"{IDLE_S}s", "--ring-bytes", "1MiB").start()
    yield one
    one.close()


def idle_closes(daemon):
    """How many streams ended for this reason, by the log."""
    records = [json.loads(line) for line in daemon.log_path.read_text().splitlines() if line.startswith("{")]
    return sum(r.get("msg") == "stream closed" and r.get("reason") == REASON for r in records)


def stopped(daemon, execution_id, runvoy=None):
    """A socket that asked for all lines and reads none of them."""
    if runvoy:
        return daemon.websocket(runvoy, subprotocol=None, key=None, sockopt=SMALL)
    ws = daemon.websocket(sockopt=SMALL)
    ws.send(json.dumps({"type": "subscribe", "execution_id": execution_id}))
    return ws


def read_on(ws):
    """What comes until the close frame: (messages, code, reason)."""
    messages = []
    while True:
        opcode, data = ws.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return messages, int.from_bytes(data[:2], "big"), data[2:].decode()
        messages.append(data)


@pytest.mark.parametrize("endpoint", ["tailgate.v1", "runvoy"])
def test_stopped_reader__closed_with_a_reason(impatient, endpoint):
    before = idle_closes(impatient)
    run = impatient.run(f"seq {LINES}")
    ws = stopped(impatient, run["execution_id"], run["websocket_url"] if endpoint == "runvoy" else None)
    other = Reader(impatient, run["execution_id"]).read_to_end()
    assert other.position == LINES, "a reader beside it gets everything"
    other.ws.close()
    wait_for(lambda: idle_closes(impatient) > before, "the stopped reader's end")
    # It goes on at last: what the kernel kept, whole messages in order, then the reason.
    messages, code, reason = read_on(ws)
    assert (code, reason) == (1008, REASON)
    if endpoint == "runvoy":
        seqs = [int(json.loads(m)["message"]) for m in messages]
    else:
        seqs = [int(line[2]) for m in messages for line in json.loads(m).get("lines", [])]
    assert seqs == list(range(1, len(seqs) + 1)) and len(seqs) < LINES
    ws.shutdown()


def test_slow_reader__never_cut(impatient):
    before = idle_closes(impatient)
    execution_id = impatient.run(f"seq {LINES}")["execution_id"]
    longest, taken, ws = IDLE_S, b"", None
    for _ in range(10):
        ws, taken, longest = stopped(impatient, execution_id), bytearray(), 0
        last, end = time.monotonic(), time.monotonic() + 3 * IDLE_S
        while last < end:  # a trickle: far below what is waiting, but never nothing for long
            taken += ws.sock.recv(2048)
            time.sleep(IDLE_S / 10)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        if longest < IDLE_S / 2:
            break
        ws.shutdown()  # the machine held us up, or it: once more
        before = idle_closes(impatient)
    assert longest < IDLE_S / 2 and len(taken) < 400_000
    assert idle_closes(impatient) == before
    while b'"type":"end"' not in taken[-4096:]:
        taken += ws.sock.recv(1 << 20)
    position = 0
    for first, lines in re.findall(rb'"first":(\d+),"lines":(\[\[.*?\]\])', bytes(taken)):
        assert int(first) == position + 1
        position += len(json.loads(lines))
    assert position == LINES
    ws.shutdown()


def test_stopped_readers__hold_little_memory(impatient):
    def resident():
        text = open(f"/proc/{impatient.pid()}/status").read()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) << 10

    execution_id = impatient.finish(f"seq {LINES}")["execution_id"]
    Reader(impatient, execution_id).read_to_end().ws.close()
    before, closes = resident(), idle_closes(impatient)
    sockets = [stopped(impatient, execution_id) for _ in range(20)]
    wait_for(lambda: idle_closes(impatient) == closes + len(sockets), "the stopped readers' end")
    assert resident() - before < len(sockets) << 20  # of 3 MiB that wait for each; a sanitizer keeps what was freed
    for ws in sockets:
        ws.shutdown()


def test_events__stopped_reader__ended(impatient):
    execution_id = impatient.finish(f"seq {LINES}")["execution_id"]
    parts = urllib.parse.urlsplit(impatient.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    connection.sock = socket.socket()
    connection.sock.setsockopt(*SMALL[0])
    connection.sock.settimeout(DEADLINE)
    connection.sock.connect((parts.hostname, parts.port))
    connection.request("GET", f"/api/v1/executions/{execution_id}/logs/stream", headers={"X-API-Key": impatient.key})
    wait_for(lambda: "the reader took nothing for too long" in impatient.log_path.read_text(),
             "the stopped reader's end")
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        connection.getresponse().read()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    files = str(folder / "cert.pem"), str(folder / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                    "-subj", "/CN=localhost", "-keyout", files[1], "-out", files[0]], check=True, capture_output=True)
    return files


def post(daemon, path, body):
    """daemon.request knows no TLS."""
    out = subprocess.run(["curl", "-sS", "--insecure", "-H", f"X-API-Key: {daemon.key}", "-d", json.dumps(body),
                          f"{daemon.url}/api/v1{path}"], check=True, capture_output=True)
    return json.loads(out.stdout)


def test_tls__slow_then_fast_reader__every_line(own_daemon, certificate):
    """Records that OpenSSL could not write whole are tried again with the same bytes, nothing in between."""
    one = own_daemon("--tls-cert", certificate[0], "--tls-key", certificate[1], "--ping-interval", "100ms")
    execution_id = post(one, "/run", {"command": f"seq {LINES}"})["execution_id"]
    ws = one.websocket(sockopt=SMALL, sslopt={"cert_reqs": ssl.CERT_NONE, "check_hostname": False})
    ws.send(json.dumps({"type": "subscribe", "execution_id": execution_id}))
    position, taken, end = 0, 0, False
    while not end:
        opcode, data = ws.recv_data(control_frame=True)
        assert opcode in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_PING), (opcode, data[:100])
        taken += len(data)
        if taken < 400_000:
            time.sleep(0.02)  # the server's writes stay partial for a while
        if opcode == websocket.ABNF.OPCODE_PING:
            continue
        message = json.loads(data)
        end = message["type"] == "end"
        if message["type"] == "logs":
            assert message["first"] == position + 1
            position += len(message["lines"])
    assert position == LINES
    ws.close()
