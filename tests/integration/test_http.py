"""The HTTP contract of api.md against the real daemon: routes, errors, headers, lists."""
import concurrent.futures
import http.client
import json
import re
import socket
import urllib.parse

import pytest
from tailgate import DEADLINE, wait_for

UNKNOWN = "0" * 32


def test_health__public__names_version(daemon):
    answer = daemon.get("/health", key=None)
    assert answer.status == 200
    assert answer.json["status"] == "ok" and answer.json["version"] and answer.json["provider"]
    assert daemon.request("GET", "/livez", key=None).status == 200
    assert daemon.request("GET", "/readyz", key=None).status == 200


ERRORS = [
    # method, path, body, key, status, code, must stand in the body
    ("POST", "/run", b"", ..., 400, "INVALID_REQUEST", "invalid request body"),
    ("POST", "/run", b"{", ..., 400, "INVALID_REQUEST", "invalid request body"),
    ("POST", "/run", b"[1]", ..., 400, "INVALID_REQUEST", ""),
    ("POST", "/run", {}, ..., 400, "INVALID_REQUEST", "command is required"),
    ("POST", "/run", {"command": ""}, ..., 400, "INVALID_REQUEST", "command is required"),
    ("POST", "/run", {"command": 7}, ..., 400, "INVALID_REQUEST", "command"),
    ("POST", "/run", {"command": "x", "env": {"1A": "b"}}, ..., 400, "INVALID_REQUEST", "env"),
    ("POST", "/run", {"command": "x", "env": {"A": 1}}, ..., 400, "INVALID_REQUEST", "env"),
    ("POST", "/run", {"command": "x", "timeout": -1}, ..., 400, "INVALID_REQUEST", "timeout"),
    ("POST", "/run", {"command": "x", "timeout": 1.5}, ..., 400, "INVALID_REQUEST", "timeout"),
    ("POST", "/run", {"command": "x", "grace": "1"}, ..., 400, "INVALID_REQUEST", "grace"),
    ("POST", "/run", {"command": "x", "tty": "yes"}, ..., 400, "INVALID_REQUEST", "tty"),
    ("POST", "/executions", {}, ..., 400, "INVALID_REQUEST", "command is required"),
    ("GET", "/executions?limit=-1", None, ..., 400, "INVALID_REQUEST", "limit"),
    ("GET", "/executions?limit=x", None, ..., 400, "INVALID_REQUEST", "limit"),
    ("GET", "/executions?status=NOPE", None, ..., 400, "INVALID_REQUEST", "status"),
    ("GET", "/executions?cursor=zzz", None, ..., 400, "INVALID_REQUEST", "cursor"),
    ("GET", "/executions?since=yesterday", None, ..., 400, "INVALID_REQUEST", "since"),
    ("GET", f"/executions/{UNKNOWN}", None, ..., 404, "NOT_FOUND", "execution not found"),
    ("GET", f"/executions/{UNKNOWN}/status", None, ..., 404, "NOT_FOUND", "execution not found"),
    ("GET", f"/executions/{UNKNOWN}/logs", None, ..., 404, "NOT_FOUND", "execution not found"),
    ("GET", f"/executions/{UNKNOWN}/logs.txt", None, ..., 404, "NOT_FOUND", "execution not found"),
    ("DELETE", f"/executions/{UNKNOWN}", None, ..., 404, "NOT_FOUND", "execution not found"),
    ("GET", "/executions/not-an-id/status", None, ..., 404, "NOT_FOUND", "execution not found"),
    ("GET", "/nothing/here", None, ..., 404, "NOT_FOUND", ""),
    ("GET", "/executions", None, None, 401, "UNAUTHORIZED", "API key is required"),
    ("GET", "/executions", None, "", 401, "UNAUTHORIZED", "API key is required"),
    ("GET", "/executions", None, "wrong", 401, "INVALID_API_KEY", "Invalid API key"),
    ("GET", "/executions", None, "tg_" + "A" * 49, 401, "INVALID_API_KEY", "Invalid API key"),
    ("POST", "/run", {"command": "x"}, None, 401, "UNAUTHORIZED", ""),
]


@pytest.mark.parametrize("method,path,body,key,status,code,text", ERRORS)
def test_error__table(daemon, method, path, body, key, status, code, text):
    answer = daemon.request(method, f"/api/v1{path}", body, key=key)
    assert (answer.status, answer.json["code"]) == (status, code), answer
    assert set(answer.json) == {"error", "code", "details"} and answer.json["error"]
    assert text in answer.body.decode()
    assert re.fullmatch(r"\S{8,}", answer.headers["X-Request-ID"])


def test_body_over_limit__413_and_server_lives(own_daemon):
    one = own_daemon("--max-body-bytes", "4096")
    answer = one.request("POST", "/api/v1/run", json.dumps({"command": "x" * 5000}))
    assert (answer.status, answer.json["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert one.finish("true")["status"] == "SUCCEEDED"


def test_chunked_body__is_read_or_refused_whole(daemon):
    parts = urllib.parse.urlsplit(daemon.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=DEADLINE)
    body = [b'{"comm', b'and": "echo chunked"}']
    connection.request("POST", "/api/v1/run", body=iter(body), encode_chunked=True,
                       headers={"X-API-Key": daemon.key, "Transfer-Encoding": "chunked"})
    assert connection.getresponse().status in (202, 411)
    connection.close()


def test_slow_request__408(own_daemon):
    one = own_daemon("--request-timeout", "1s")
    parts = urllib.parse.urlsplit(one.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=DEADLINE) as raw:
        raw.sendall(b"POST /api/v1/run HTTP/1.1\r\nHost: x\r\nX-API-Key: " + one.key.encode() +
                    b"\r\nContent-Length: 100\r\n\r\n{")
        answer = raw.recv(65536)
        assert answer.startswith(b"HTTP/1.1 408"), answer
        assert b"REQUEST_TIMEOUT" in answer


def test_request_id__minted_always(daemon):
    first = daemon.get("/health", headers={"X-Request-ID": "mine"}).headers["X-Request-ID"]
    second = daemon.get("/health").headers["X-Request-ID"]
    assert first != second and first != "mine"


def test_bearer__is_a_key(daemon):
    assert daemon.get("/executions", key=None, headers={"Authorization": f"Bearer {daemon.key}"}).status == 200


@pytest.mark.parametrize("path", ["/executions/", "/executions?status=RUNNING%2CFAILED", "/executions?status=RUNNING,FAILED",
                                  "/health/"])
def test_path_variants__pass_without_redirect(daemon, path):
    assert daemon.get(path).status == 200


def test_run__runvoys_answer(daemon):
    body = daemon.run("echo hi")
    assert body["status"] == "STARTING" and body["command"] == "echo hi" and body["image_id"] == "host"
    assert re.fullmatch(r"[0-9a-f]{32}", body["execution_id"]) and "log_url" in body
    assert body["websocket_url"].startswith(daemon.url.replace("http", "ws", 1) + "/api/v1/stream?execution_id=")


def test_executions_post__201_with_location(daemon):
    answer = daemon.request("POST", "/api/v1/executions", {"command": "true"})
    assert answer.status == 201
    assert answer.headers["Location"].endswith("/api/v1/executions/" + answer.json["execution_id"])


def test_status__fields_and_types(daemon):
    status = daemon.finish("echo a; exit 3")
    assert status["status"] == "FAILED" and status["exit_code"] == 3 and status["last_seq"] == 1
    assert status["command"] == "echo a; exit 3" and status["image_id"] == "host"
    assert isinstance(status["duration_ms"], int)
    for name in ("started_at", "completed_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", status[name])
    running = daemon.status(daemon.run("sleep 600")["execution_id"])
    assert running["exit_code"] is None and "completed_at" not in running


def test_list__newest_first_pages_and_filters(own_daemon):
    one = own_daemon()
    ids = [one.run(f"exit {n % 2}")["execution_id"] for n in range(7)]
    for i in ids:
        one.wait_status(i)
    everything = one.get("/executions?limit=0").json
    assert [e["execution_id"] for e in everything] == ids[::-1]
    row = everything[0]
    assert row["created_by"] and row["owned_by"] == [row["created_by"]] and row["exit_code"] == 0
    assert isinstance(row["duration_seconds"], int) and row["created_by_request_id"] and "cloud" in row
    assert len(one.get("/executions?limit=3").json) == 3
    assert all(e["status"] == "FAILED" for e in one.get("/executions?status=FAILED").json)
    assert one.get("/executions?status=RUNNING").json == []
    assert one.get("/executions?created_by=nobody@nowhere").json == []
    seen, path = [], "/executions?limit=2"
    while path:
        answer = one.get(path)
        seen += [e["execution_id"] for e in answer.json]
        link = re.match(r'<([^>]+)>; rel="next"', answer.headers.get("Link") or "")
        path = link and link.group(1).split("/api/v1", 1)[1]
    assert seen == ids[::-1]


def test_delete__200_then_204(daemon):
    i = daemon.run("sleep 100")["execution_id"]
    daemon.wait_status(i, ("RUNNING",))
    answer = daemon.request("DELETE", f"/api/v1/executions/{i}")
    assert answer.status == 200 and answer.json["execution_id"] == i and answer.json["message"]
    end = daemon.wait_status(i)
    assert (end["status"], end["exit_code"]) == ("STOPPED", 130)
    answer = daemon.request("DELETE", f"/api/v1/executions/{i}")
    assert (answer.status, answer.body) == (204, b"")


def test_delete__at_once_after_run(daemon):
    i = daemon.run("sleep 100")["execution_id"]
    assert daemon.request("DELETE", f"/api/v1/executions/{i}").status == 200
    assert daemon.wait_status(i)["status"] == "STOPPED"


def test_cors__listed_origin_echoed_everywhere(own_daemon):
    one = own_daemon("--cors-origins", "https://viewer.example")
    origin = {"Origin": "https://viewer.example"}
    for answer in (one.get("/health", headers=origin), one.get("/executions", key=None, headers=origin),
                   one.get("/nothing", headers=origin)):
        assert answer.headers["Access-Control-Allow-Origin"] == "https://viewer.example"
        assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
        assert answer.headers.get("Access-Control-Allow-Credentials") is None
    answer = one.request("OPTIONS", "/api/v1/run", key=None, headers={
        **origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"})
    assert answer.status in (200, 204)
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
        assert method in answer.headers["Access-Control-Allow-Methods"]
    for name in ("Content-Type", "X-API-Key", "Authorization", "Idempotency-Key"):
        assert name in answer.headers["Access-Control-Allow-Headers"]
    answer = one.get("/health", headers={"Origin": "https://evil.example"})
    assert answer.headers.get("Access-Control-Allow-Origin") is None


def test_keep_alive__many_requests_one_connection(daemon):
    parts = urllib.parse.urlsplit(daemon.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=DEADLINE)
    for n in range(50):
        connection.request("GET", "/api/v1/executions?limit=1", headers={"X-API-Key": daemon.key})
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200 and body.startswith(b"["), (n, body)
    connection.close()


def test_max_connections__503_and_recovers(own_daemon):
    one = own_daemon("--max-connections", "20")
    parts = urllib.parse.urlsplit(one.url)
    held = [socket.create_connection((parts.hostname, parts.port), timeout=DEADLINE) for _ in range(20)]

    def refused():
        with socket.create_connection((parts.hostname, parts.port), timeout=DEADLINE) as extra:
            extra.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            return extra.recv(4096).startswith(b"HTTP/1.1 503")

    wait_for(refused, "a refusal")
    for s in held:
        s.close()
    wait_for(lambda: not refused(), "room again")
    assert one.get("/health").status == 200


def test_parallel_runs__all_end(daemon):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        ends = list(pool.map(lambda n: daemon.finish(f"echo {n}; exit {n}"), range(24)))
    assert [e["exit_code"] for e in ends] == list(range(24))


def test_page__served_with_policy(daemon):
    answer = daemon.request("GET", "/", key=None)
    assert answer.status == 200 and b"<html" in answer.body.lower()
    assert "default-src" in answer.headers["Content-Security-Policy"]


def test_public_url__in_links(own_daemon):
    one = own_daemon("--public-url", "https://gate.example")
    assert one.run("true")["websocket_url"].startswith("wss://gate.example/api/v1/stream?")
