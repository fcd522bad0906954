"""What clients get at the edges of the protocol: odd requests, odd handshakes, odd settings."""
import os
import re
import signal
import socket
import subprocess
import urllib.parse

import pytest
from tailgate import BIN, DEADLINE, Daemon

UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
WS_KEY = ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",)


@pytest.fixture(scope="module")
def daemon():
    one = Daemon().start()
    yield one
    one.close()


def connect(daemon):
    parts = urllib.parse.urlsplit(daemon.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=DEADLINE)


def raw(daemon, request_line, *headers):
    """The whole answer to a request that ends the connection."""
    lines = [request_line, "Host: x", f"X-API-Key: {daemon.key}", *headers, "", ""]
    with connect(daemon) as s:
        s.sendall("\r\n".join(lines).encode())
        out = b""
        while piece := s.recv(65536):
            out += piece
    return out.decode()


REFUSED = [
    # a filter that is not understood must not be left out
    (f"GET /api/v1/executions?created_by={'a' * 5000} HTTP/1.1", (), "the query is too long"),
    ("GET /api/v1/ws HTTP/1.1", UPGRADE + ("Sec-WebSocket-Protocol: tailgate.v1",), "Sec-WebSocket-Key is required"),
    ("GET /api/v1/ws HTTP/1.1", UPGRADE + WS_KEY, "must offer tailgate.v1"),
    ("GET /api/v1/ws HTTP/1.1", UPGRADE + WS_KEY + ("Sec-WebSocket-Protocol: foo, tailgate.v11",),
     "must offer tailgate.v1"),
    ("GET /livez HTTP/1.1", ("Connection: Upgrade", "Upgrade: h2c"), "only upgrades to websocket"),
]


@pytest.mark.parametrize("line,headers,details", REFUSED, ids=[row[2] for row in REFUSED])
def test_refused__says_why_with_a_request_id(daemon, line, headers, details):
    answer = raw(daemon, line, *headers)
    assert answer.startswith("HTTP/1.1 400 ") and details in answer and '"code":"INVALID_REQUEST"' in answer
    assert re.search(r"X-Request-ID: [0-9a-f]{16}", answer)


def test_query__empty_parameters_pass(daemon):
    assert daemon.get("/executions?&limit=1&&status=&b&").status == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert,
                    "-days", "2", "-subj", "/CN=localhost"], check=True, stderr=subprocess.DEVNULL)
    return cert, key


def test_tls__handshake_that_fails_at_once__server_lives(certificate):
    """Bytes that wait already when the connection is accepted fail inside its adoption."""
    one = Daemon("--tls-cert", certificate[0], "--tls-key", certificate[1])
    try:
        one.start()
        for _ in range(3):
            os.kill(one.pid(), signal.SIGSTOP)
            sockets = [connect(one) for _ in range(5)]
            for s in sockets:
                s.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            os.kill(one.pid(), signal.SIGCONT)
            for s in sockets:
                with s, pytest.raises(ConnectionResetError):
                    s.recv(100)
                    s.recv(100)
        answer = subprocess.run(["curl", "-sS", "--insecure", f"{one.url}/livez"], capture_output=True, check=True)
        assert answer.stdout == b'{"status":"ok"}'
    finally:
        one.close()


def test_state_dir__relative__is_below_the_current_directory():
    one = Daemon()
    try:
        relative = os.path.relpath(one.state, "/")  # the daemon is started in /
        one.start("--state-dir", relative)
        assert one.finish("pwd")["status"] == "SUCCEEDED"
        assert one.logs_txt(one.run("true")["execution_id"]) == b""
    finally:
        one.close()


BAD_SETTINGS = [
    (("--listen", "127.0.0.1"), "--listen"), (("--listen", "::1:80"), "--listen"), (("--nope",), "--nope"),
    (("--listen", "0.0.0.0:0"), "--insecure-http"), (("--ring-bytes", "5XB"), "--ring-bytes"),
    (("--max-connections", "0"), "--max-connections"), (("--public-url", "x"), "--public-url"),
    (("--database-url", "foo"), "--database-url"),
    (("--tls-cert", "/etc/passwd", "--tls-key", "/etc/passwd"), "--tls-cert"),
    (("--trusted-proxies", "10.0.0.0/33"), "--trusted-proxies"), (("--cors-origins", "x"), "--cors-origins"),
]


@pytest.mark.parametrize("flags,named", BAD_SETTINGS, ids=[" ".join(row[0]) for row in BAD_SETTINGS])
def test_setting__unusable__one_line_and_2(tmp_path, flags, named):
    done = subprocess.run([BIN / "tailgated", "--dev", "--state-dir", tmp_path / "s", "--listen", "127.0.0.1:0", *flags],
                          capture_output=True, text=True, timeout=DEADLINE)
    said = [line for line in done.stderr.splitlines() if not line.startswith("{")]  # the log's own records aside
    assert done.returncode == 2 and len(said) == 1 and named in said[0], done
