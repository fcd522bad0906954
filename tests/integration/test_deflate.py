"""permessage-deflate on tailgate.v1, read by a client that knows nothing but RFC 6455 and 7692."""
import base64
import json
import os
import socket
import struct
import urllib.parse
import zlib

import pytest
from tailgate import DEADLINE, Reader

LINES = 30_000


class Client:
    def __init__(self, daemon, offer):
        parts = urllib.parse.urlsplit(daemon.url)
        self.sock = socket.create_connection((parts.hostname, parts.port), timeout=DEADLINE)
        head = ["GET /api/v1/ws HTTP/1.1", f"Host: {parts.netloc}", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
                "Sec-WebSocket-Protocol: tailgate.v1"]
        if offer:
            head.append(f"Sec-WebSocket-Extensions: {offer}")
        self.sock.sendall("\r\n".join([*head, "", ""]).encode())
        self.file = self.sock.makefile("rb")
        self.status = self.file.readline().split()[1]
        self.headers = []
        while (line := self.file.readline().strip()):
            name, value = line.decode().split(": ", 1)
            self.headers.append((name.lower(), value))
        self.received = self.deflated = 0

    def answer(self):
        values = [v for n, v in self.headers if n == "sec-websocket-extensions"]
        assert len(values) <= 1, "one header at most (RFC 6455 9.1)"
        return values[0] if values else None

    def send_frame(self, first, payload):
        mask = os.urandom(4)
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
        length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
        self.sock.sendall(bytes([first]) + length + mask + masked)

    def send(self, message, pieces=1, context=None):
        """Compressed, in so many frames."""
        packer = context or zlib.compressobj(wbits=-15)
        packed = (packer.compress(json.dumps(message).encode()) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
        step = len(packed) // pieces + 1
        parts = [packed[at:at + step] for at in range(0, len(packed), step)]
        for i, part in enumerate(parts):
            self.send_frame((0x41 if i == 0 else 0) | (0x80 if i == len(parts) - 1 else 0), part)

    def recv(self):
        """(opcode, payload) of the next data or close frame."""
        while True:
            first, second = self.file.read(2)
            assert second < 128, "servers do not mask"
            size = second
            if size >= 126:
                size = int.from_bytes(self.file.read(2 if size == 126 else 8), "big")
            payload = self.file.read(size)
            self.received += size
            if first & 0x40:
                self.deflated += 1
                unpacker = zlib.decompressobj(wbits=-12)
                payload = unpacker.decompress(payload + b"\0\0\xff\xff")
            if first & 15 == 9:
                self.send_frame(0x8a, payload)
            else:
                return first & 15, payload

    def read_run(self, execution_id):
        """Every line of it, checked for its number; the subscription comes in two frames."""
        self.send({"type": "subscribe", "execution_id": execution_id}, pieces=2)
        lines = []
        while True:
            opcode, payload = self.recv()
            assert opcode == 1, payload
            message = json.loads(payload)
            if message["type"] == "logs":
                assert message["first"] == len(lines) + 1
                lines += [line[2] for line in message["lines"]]
            elif message["type"] == "end":
                return lines


@pytest.fixture(scope="module")
def deflating():
    from tailgate import Daemon
    one = Daemon("--stream-deflate").start()
    yield one
    one.close()


OFFERS = [
    ("permessage-deflate; client_max_window_bits", ""),  # Chromium's
    ("permessage-deflate", ""),  # Firefox's
    ("permessage-deflate; server_max_window_bits=12; client_max_window_bits=12", "; server_max_window_bits=12"),
    ("x-other, permessage-deflate; server_no_context_takeover", ""),
]


@pytest.mark.parametrize("offer, more", OFFERS)
def test_deflate__negotiated__lines_come_compressed(deflating, offer, more):
    execution_id = deflating.run(f"seq -f 'line number %.0f of this run' {LINES}")["execution_id"]
    client = Client(deflating, offer)
    assert client.answer() == f"permessage-deflate; server_no_context_takeover; client_no_context_takeover{more}"
    client.send({"type": "auth", "key": deflating.key})
    assert client.read_run(execution_id) == [f"line number {n} of this run" for n in range(1, LINES + 1)]
    assert client.deflated > 0 and client.received < LINES * 40 / 3


@pytest.mark.parametrize("offer", [None, "permessage-deflate; server_max_window_bits=9", "x-other"])
def test_deflate__not_negotiated__plain(deflating, offer):
    client = Client(deflating, offer)
    assert client.status == b"101" and client.answer() is None
    execution_id = deflating.finish("seq 3000")["execution_id"]
    assert Reader(deflating, execution_id).read_to_end().position == 3000


def test_deflate__off_by_default(daemon):
    client = Client(daemon, OFFERS[0][0])
    assert client.status == b"101" and client.answer() is None


def test_deflate__plain_messages_and_readers_beside(deflating):
    execution_id = deflating.finish("seq 5000")["execution_id"]
    client = Client(deflating, OFFERS[0][0])
    client.send_frame(0x81, json.dumps({"type": "auth", "key": deflating.key}).encode())  # not compressed: allowed
    assert client.read_run(execution_id) == [str(n) for n in range(1, 5001)]
    assert Reader(deflating, execution_id).read_to_end().position == 5000


BAD = [(b"\xff\xff\xff\xff", 1007), (zlib.compress(b"a" * 1_000_000, wbits=-15) + b"\0", 1009)]


@pytest.mark.parametrize("payload, code", BAD)
def test_deflate__bad_or_bomb__closed(deflating, payload, code):
    client = Client(deflating, OFFERS[0][0])
    client.send({"type": "auth", "key": deflating.key})
    client.recv()
    client.send_frame(0xc1, payload[:125] if code == 1007 else payload)
    opcode, data = client.recv()
    assert opcode == 8 and int.from_bytes(data[:2], "big") == code
