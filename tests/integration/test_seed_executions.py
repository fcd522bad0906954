"""The seed's scenarios for executions (coverage-analysis.txt, guide 1), each as a test by its name, against
the real daemon. Where the seed's sketch and the contract differ (field names, codes), the contract holds."""
import concurrent.futures
import json
import urllib.parse

import pytest
from people import make_user, revoke_user
from tailgate import Reader, wait_for

UNKNOWN = "0000512b00000000" + "0" * 16


@pytest.fixture(scope="module")
def users(daemon):
    return {role: make_user(daemon, role) for role in ("admin", "operator", "developer", "viewer")}


def run(daemon, command, user=None, **fields):
    answer = daemon.request("POST", "/api/v1/run", {"command": command, **fields}, key=user.key if user else ...)
    assert answer.status == 202, answer
    return answer.json["execution_id"]


def refused(answer, status, code):
    assert answer.status == status, answer
    body = answer.json
    assert set(body) == {"error", "code", "details"} and body["code"] == code, body
    return body


# ---- 1. create ----

def test_create__successful_execution_creation(daemon, users):
    answer = daemon.request("POST", "/api/v1/run", {"command": "python3 -V || true", "env": {"KEY": "value"}}, key=users["developer"].key)
    assert answer.status == 202
    assert set(answer.json) == {"execution_id", "log_url", "status", "command", "image_id", "websocket_url"}
    assert answer.json["status"] == "STARTING"
    own = daemon.request("POST", "/api/v1/executions", {"command": "true"}, key=users["developer"].key)
    assert own.status == 201 and own.headers["Location"] == f"/api/v1/executions/{own.json['execution_id']}"


@pytest.mark.parametrize("body,details", [({}, "command is required"), ({"command": ""}, "command is required"),
                                          ({"command": "   "}, "command is required"), ({"command": 7}, "command"),
                                          ({"command": "x", "env": {"A": 1}}, "env.A"), ({"command": "x", "timeout": -1}, "timeout")])
def test_create__missing_required_fields(daemon, body, details):
    answer = daemon.request("POST", "/api/v1/run", body)
    assert details in refused(answer, 400, "INVALID_REQUEST")["details"]
    assert answer.json["error"] == "failed to run command"


def test_create__unauthorized_user(daemon, users):
    refused(daemon.request("POST", "/api/v1/run", {"command": "true"}, key=None), 401, "UNAUTHORIZED")
    refused(daemon.request("POST", "/api/v1/run", {"command": "true"}, key="tg_wrong"), 401, "INVALID_API_KEY")
    refused(daemon.request("POST", "/api/v1/run", {"command": "true"}, key=users["viewer"].key), 403, "FORBIDDEN")


@pytest.mark.parametrize("body", ["not-json", "{", "[]", "\"x\"", "", "{\"command\":\"a\",\"command\":\"b\"}"])
def test_create__invalid_json_body(daemon, body):
    answer = daemon.request("POST", "/api/v1/run", body, headers={"Content-Type": "application/json"})
    assert refused(answer, 400, "INVALID_REQUEST")["error"] == "invalid request body"


def test_create__orchestrator_service_error(own_daemon):
    """The database is away: 503, nothing half-done, and the next one works."""
    daemon = own_daemon("--db-deadline", "3s")
    with daemon.frozen_postgres():
        answer = daemon.request("POST", "/api/v1/run", {"command": "true"})
    refused(answer, 503, "DATABASE_ERROR")
    assert answer.headers["Retry-After"]
    assert daemon.sql("SELECT count(*) FROM executions") == [["0"]]
    assert daemon.finish("true")["status"] == "SUCCEEDED"


def test_create__resource_limit_exceeded(own_daemon):
    daemon = own_daemon("--max-running", "1")
    run(daemon, "sleep 600")
    answer = daemon.request("POST", "/api/v1/run", {"command": "true"})
    refused(answer, 429, "LIMIT_EXCEEDED")
    assert int(answer.headers["Retry-After"]) >= 1


def test_create__context_cancellation(daemon):
    """A client that leaves before the answer: the run is there all the same, once."""
    import http.client
    parts = urllib.parse.urlsplit(daemon.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    connection.request("POST", "/api/v1/run", json.dumps({"command": "echo cancelled-context"}),
                       {"X-API-Key": daemon.key, "Content-Type": "application/json"})
    connection.sock.close()
    query = "SELECT status FROM executions WHERE command = 'echo cancelled-context'"
    wait_for(lambda: daemon.sql(query) in ([["SUCCEEDED"]], []), "the run to end, or never to have begun")


# ---- 2. get ----

def test_get__successful_execution_retrieval(daemon, users):
    i = run(daemon, "exit 3", users["developer"])
    daemon.wait_status(i)
    got = daemon.get(f"/executions/{i}", key=users["developer"].key).json
    assert got["execution_id"] == i and got["exit_code"] == 3 and got["owned_by"] == [users["developer"].email]
    status = daemon.get(f"/executions/{i}/status", key=users["developer"].key).json
    assert {"execution_id", "status", "command", "image_id", "started_at", "exit_code", "completed_at"} <= set(status)


def test_get__execution_not_found(daemon):
    for path in ("", "/status"):
        refused(daemon.get(f"/executions/{UNKNOWN}{path}"), 404, "NOT_FOUND")


@pytest.mark.parametrize("bad", ["x", "0" * 31, "0" * 33, "G" * 32, "%20", "0" * 16])
def test_get__invalid_execution_id_format(daemon, bad):
    assert refused(daemon.get(f"/executions/{bad}/status"), 404, "NOT_FOUND")["details"] == "execution not found"


def test_get__unauthorized_access(daemon, users):
    other = make_user(daemon, "developer")
    i = run(daemon, "true", users["developer"])
    for path in ("", "/status", "/logs", "/logs.txt"):
        refused(daemon.get(f"/executions/{i}{path}", key=other.key), 403, "FORBIDDEN")


def test_get__admin_can_view_any_execution(daemon, users):
    i = run(daemon, "true", users["developer"])
    for role in ("admin", "operator", "viewer"):
        assert daemon.get(f"/executions/{i}", key=users[role].key).status == 200


def test_get__revoked_user_cannot_access(daemon):
    user = make_user(daemon, "developer")
    i = run(daemon, "true", user)
    revoke_user(daemon, user)
    refused(daemon.get(f"/executions/{i}", key=user.key), 401, "API_KEY_REVOKED")


# ---- 3. list ----

def ids(answer):
    assert answer.status == 200, answer
    return [e["execution_id"] for e in answer.json]


def walk(daemon, path, key=...):
    """All pages of a list by their Link headers."""
    found = []
    while path:
        answer = daemon.request("GET", path, key=key)
        found += ids(answer)
        link = answer.headers.get("Link")
        path = link.split(">")[0].lstrip("<") if link else None
    return found


def test_list__all_executions_for_user(daemon):
    user = make_user(daemon, "developer")
    mine = [run(daemon, "true", user) for _ in range(3)]
    assert ids(daemon.get("/executions", key=user.key)) == mine[::-1]


def test_list__empty_list(daemon):
    user = make_user(daemon, "developer")
    answer = daemon.get("/executions", key=user.key)
    assert answer.status == 200 and answer.json == [] and "Link" not in answer.headers


def test_list__pagination(daemon):
    user = make_user(daemon, "developer")
    mine = [run(daemon, "true", user) for _ in range(13)][::-1]
    assert ids(daemon.get("/executions", key=user.key)) == mine[:10]  # Runvoy's default
    assert ids(daemon.get("/executions?limit=3", key=user.key)) == mine[:3]
    assert walk(daemon, "/api/v1/executions?limit=4", user.key) == mine
    assert ids(daemon.get("/executions?limit=0", key=user.key)) == mine


def test_list__pagination_while_others_run(daemon):
    """New executions come in front: no page repeats or misses one that was there."""
    user = make_user(daemon, "developer")
    before = [run(daemon, "true", user) for _ in range(12)][::-1]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        more = pool.submit(lambda: [run(daemon, "true", user) for _ in range(10)])
        seen = walk(daemon, "/api/v1/executions?limit=2", user.key)
        new = more.result()
    assert len(seen) == len(set(seen))
    assert [i for i in seen if i in before] == before
    assert set(seen) <= set(before) | set(new)


def test_list__filter_by_status(daemon):
    user = make_user(daemon, "developer")
    good, bad = run(daemon, "true", user), run(daemon, "false", user)
    daemon.wait_status(good), daemon.wait_status(bad)
    live = run(daemon, "sleep 600", user)
    daemon.wait_status(live, ("RUNNING",))
    assert ids(daemon.get("/executions?status=FAILED", key=user.key)) == [bad]
    assert ids(daemon.get("/executions?status=RUNNING%2CFAILED", key=user.key)) == [live, bad]
    assert ids(daemon.get("/executions?status=STARTING,SUCCEEDED", key=user.key)) == [good]
    daemon.request("DELETE", f"/api/v1/executions/{live}")


def test_list__filter_by_date_range(daemon):
    user = make_user(daemon, "developer")
    made = [run(daemon, "true", user) for _ in range(3)]
    times = [daemon.status(i)["started_at"] for i in made]
    assert ids(daemon.get(f"/executions?since={times[1]}", key=user.key)) == made[:0:-1]
    assert ids(daemon.get(f"/executions?until={times[1]}", key=user.key)) == made[:1]
    assert ids(daemon.get(f"/executions?since={times[0]}&until={times[2]}", key=user.key)) == made[1::-1]


def test_list__admin_sees_all_executions(daemon, users):
    a, b = make_user(daemon, "developer"), make_user(daemon, "developer")
    of_a, of_b = run(daemon, "true", a), run(daemon, "true", b)
    for role in ("admin", "operator", "viewer"):
        assert {of_a, of_b} <= set(ids(daemon.get("/executions?limit=0", key=users[role].key)))
        assert ids(daemon.get(f"/executions?created_by={urllib.parse.quote(a.email)}", key=users[role].key)) == [of_a]


def test_list__regular_user_sees_only_their_executions(daemon):
    a, b = make_user(daemon, "developer"), make_user(daemon, "developer")
    run(daemon, "true", a)
    of_b = run(daemon, "true", b)
    assert ids(daemon.get("/executions?limit=0", key=b.key)) == [of_b]
    assert ids(daemon.get(f"/executions?created_by={a.email}", key=b.key)) == []


@pytest.mark.parametrize("query", ["limit=-1", "limit=x", "status=WRONG", "since=yesterday", "until=1", "cursor=x"])
def test_list__invalid_filter_parameters(daemon, query):
    body = refused(daemon.get(f"/executions?{query}"), 400, "INVALID_REQUEST")
    assert query.split("=")[0] in body["error"]


# ---- 4. cancel ----

def test_cancel__successful_cancellation(daemon, users):
    i = run(daemon, "sleep 600", users["developer"])
    answer = daemon.request("DELETE", f"/api/v1/executions/{i}", key=users["developer"].key)
    assert answer.status == 200 and set(answer.json) == {"execution_id", "message"}
    end = daemon.wait_status(i)
    assert (end["status"], end["exit_code"]) == ("STOPPED", 130)


def test_cancel__execution_not_found(daemon):
    body = refused(daemon.request("DELETE", f"/api/v1/executions/{UNKNOWN}"), 404, "NOT_FOUND")
    assert body["error"] == "failed to kill execution"


def test_cancel__execution_already_completed(daemon):
    i = run(daemon, "true")
    daemon.wait_status(i)
    answer = daemon.request("DELETE", f"/api/v1/executions/{i}")
    assert answer.status == 204 and answer.body == b""


def test_cancel__execution_already_cancelled(daemon):
    i = run(daemon, "trap '' TERM; echo up; while :; do sleep 0.1; done", grace=2)
    Reader(daemon, i).read_until(1)
    assert daemon.request("DELETE", f"/api/v1/executions/{i}").status == 200
    assert daemon.request("DELETE", f"/api/v1/executions/{i}").status == 204
    assert daemon.wait_status(i)["status"] == "STOPPED"
    assert daemon.request("DELETE", f"/api/v1/executions/{i}").status == 204


def test_cancel__unauthorized_cancellation_attempt(daemon, users):
    other = make_user(daemon, "developer")
    i = run(daemon, "sleep 600", users["developer"])
    for user in (other, users["viewer"]):
        refused(daemon.request("DELETE", f"/api/v1/executions/{i}", key=user.key), 403, "FORBIDDEN")
    assert daemon.request("DELETE", f"/api/v1/executions/{i}", key=users["operator"].key).status == 200


def test_cancel__service_error_during_cancellation(own_daemon):
    daemon = own_daemon("--db-deadline", "3s")
    i = run(daemon, "echo up; sleep 600")
    Reader(daemon, i).read_until(1)
    with daemon.frozen_postgres():
        refused(daemon.request("DELETE", f"/api/v1/executions/{i}"), 503, "DATABASE_ERROR")
    assert daemon.status(i)["status"] == "RUNNING"
    assert daemon.request("DELETE", f"/api/v1/executions/{i}").status == 200


# ---- 5. logs ----

def test_logs__successful_log_retrieval(daemon):
    i = run(daemon, "echo one; echo two")
    daemon.wait_status(i)
    answer = daemon.get(f"/executions/{i}/logs").json
    assert [e["message"] for e in answer["events"]] == ["one", "two"] and "websocket_url" not in answer
    assert [e["event_id"] for e in answer["events"]] == [f"{i}-{n:020}" for n in (1, 2)]


def test_logs__streaming_with_tail_parameter(daemon):
    i = run(daemon, "seq 5")
    daemon.wait_status(i)
    assert [e["message"] for e in daemon.get(f"/executions/{i}/logs?tail=2").json["events"]] == ["4", "5"]


def test_logs__execution_has_no_logs_yet(daemon):
    i = run(daemon, "sleep 600")
    answer = daemon.get(f"/executions/{i}/logs").json
    assert answer["events"] is None and answer["websocket_url"].startswith("ws://")
    daemon.request("DELETE", f"/api/v1/executions/{i}")


def test_logs__execution_not_found(daemon):
    body = refused(daemon.get(f"/executions/{UNKNOWN}/logs"), 404, "NOT_FOUND")
    assert body["error"] == "failed to get execution logs"


def test_logs__unauthorized_access(daemon, users):
    i = run(daemon, "true", users["admin"])
    refused(daemon.get(f"/executions/{i}/logs", key=users["developer"].key), 403, "FORBIDDEN")
    refused(daemon.get(f"/executions/{i}/logs", key=None), 401, "UNAUTHORIZED")


def test_logs__service_error(own_daemon):
    daemon = own_daemon("--db-deadline", "3s")
    i = run(daemon, "echo x")
    daemon.wait_status(i)
    with daemon.frozen_postgres():
        refused(daemon.get(f"/executions/{i}/logs"), 503, "DATABASE_ERROR")
