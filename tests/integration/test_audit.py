"""The audit: every change and every refusal leaves a row, nothing changes one, admins read it in pages."""
import json
import re
import subprocess
import threading

import pytest
from tailgate import wait_for


def entries(daemon, query=""):
    answer = daemon.get(f"/audit{query}")
    assert answer.status == 200, answer
    return answer.json["entries"]


def wait_entry(daemon, query, count=1):
    return wait_for(lambda: len(found := entries(daemon, query)) >= count and found, f"an entry for {query}")


def register(daemon, image, **fields):
    answer = daemon.request("POST", "/api/v1/images/register", {"image": image, **fields})
    assert answer.status == 201, answer
    return answer


def test_change__its_row_tells_who_what_and_where(daemon):
    answer = register(daemon, "audited:1")
    (entry,) = entries(daemon, f"?request_id={answer.headers['X-Request-ID']}")
    assert entry["action"] == "images.create"
    assert entry["resource"] == f"image/{answer.json['image_id']}"
    assert (entry["email"], entry["result"], entry["address"], entry["count"]) == \
        ("admin@localhost", "ok", "127.0.0.1", 1)
    assert entry["key_id"] > 0 and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", entry["at"])


def test_change_that_fails__no_row(daemon):
    before = len(entries(daemon, "?action=images.delete"))
    assert daemon.request("DELETE", "/api/v1/images/nothing:1-0123abcd").status == 404
    assert len(entries(daemon, "?action=images.delete")) == before


def test_filters_and_pages__newest_first_each_once(daemon):
    for n in range(5):
        register(daemon, f"paged:{n}")
    everything = entries(daemon, "?action=images&limit=1000")
    assert [e["audit_id"] for e in everything] == sorted((e["audit_id"] for e in everything), reverse=True)
    seen, path = [], "/api/v1/audit?action=images&limit=2&email=admin%40localhost"
    while path:
        answer = daemon.request("GET", path)
        assert answer.status == 200, answer
        assert 1 <= len(answer.json["entries"]) <= 2
        seen += answer.json["entries"]
        link = answer.headers["Link"]
        path = re.fullmatch(r'<(/api/v1/audit\?[^>]*)>; rel="next"', link)[1] if link else None
    assert seen == everything
    middle = everything[2]
    assert [e["audit_id"] for e in entries(daemon, f"?action=images&since={middle['at']}")] == \
        [e["audit_id"] for e in everything if e["at"] >= middle["at"]]
    assert entries(daemon, "?until=2000-01-01T00:00:00Z") == []
    assert entries(daemon, "?email=nobody@example.org") == []
    assert {e["resource"].split("/")[0] for e in entries(daemon, "?resource=image/")} == {"image"}


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "cursor=0", "cursor=x", "since=yesterday",
                                   "until=never"])
def test_bad_query__400_names_it(daemon, query):
    answer = daemon.get(f"/audit?{query}")
    assert (answer.status, answer.json["code"]) == (400, "INVALID_REQUEST")
    assert query.split("=")[0] in answer.json["error"]


@pytest.mark.parametrize("statement", ["UPDATE audit SET result = 'no'", "DELETE FROM audit", "TRUNCATE audit"])
def test_table__refuses_all_but_new_rows(daemon, statement):
    register(daemon, "kept:1")
    before = daemon.sql("SELECT count(*), min(result), max(result) FROM audit")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        daemon.sql(statement)
    assert "append-only" in refused.value.stderr
    assert daemon.sql("SELECT count(*), min(result), max(result) FROM audit") == before


def test_revoked_key__its_prefix_is_told(own_daemon):
    one = own_daemon()
    one.sql("INSERT INTO users (email, role) VALUES ('gone@x.org', 'developer')")
    one.sql("UPDATE api_keys SET revoked_at = now()")
    assert one.get("/executions").json["code"] == "API_KEY_REVOKED"
    row = wait_for(lambda: one.sql("SELECT resource, result, address FROM audit WHERE result = 'API_KEY_REVOKED'"),
                   "the refusal's row")
    assert row == [[f"api-key/{one.key[:8]}", "API_KEY_REVOKED", "127.0.0.1"]]


def test_unknown_keys__a_flood_is_one_row_with_its_number(own_daemon):
    one = own_daemon()

    def flood():
        for n in range(100):
            assert one.get(f"/executions?n={n}", key="wrong").status == 401

    threads = [threading.Thread(target=flood) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = wait_for(lambda: one.sql("SELECT email, resource, count FROM audit WHERE result = 'INVALID_API_KEY'"),
                    "the refusals' row")
    assert len(rows) == 1 and rows[0][:2] == ["", ""] and 1 <= int(rows[0][2]) <= 400
    assert one.finish("true")["status"] == "SUCCEEDED"


def test_no_key__no_row(own_daemon):
    one = own_daemon()
    assert one.get("/executions", key=None).status == 401
    assert one.get("/executions", key="wrong").status == 401
    wait_entry(one, "?result=INVALID_API_KEY")
    assert entries(one, "?result=UNAUTHORIZED") == []


def test_limit__429_is_told(own_daemon):
    one = own_daemon("--max-live", "1")
    run = one.run("sleep 600")["execution_id"]
    assert one.request("POST", "/api/v1/run", {"command": "true"}).status == 429
    (entry,) = wait_entry(one, "?result=LIMIT_EXCEEDED")
    assert (entry["email"], entry["action"], entry["resource"]) == ("admin@localhost", "executions.create", "run")
    one.request("DELETE", f"/api/v1/executions/{run}")
    one.wait_status(run)


def test_queue__bounded_and_drops_are_counted(own_daemon):
    one = own_daemon("--audit-queue", "2", "--max-live", "1")
    run = one.run("sleep 600")["execution_id"]
    with one.locked("audit"):  # or the queue drains meanwhile
        for path in ("/api/v1/run", "/api/v1/executions", "/api/v1/run/", "/api/v1/executions/"):
            assert one.request("POST", path, {"command": "true"}).status == 429

    def dropped():
        text = one.request("GET", "/metrics", key=None).body.decode()
        return int(re.search(r"^tailgate_audit_dropped_total (\d+)$", text, re.M)[1])

    assert dropped() == 2
    wait_entry(one, "?result=LIMIT_EXCEEDED", 2)
    one.request("DELETE", f"/api/v1/executions/{run}")
    one.wait_status(run)


def test_database_away__refusals_wait_and_come_later(own_daemon):
    one = own_daemon("--max-live", "1", "--db-deadline", "3s")
    run = one.run("sleep 600")["execution_id"]
    one.wait_status(run, ("RUNNING",))
    assert one.request("POST", "/api/v1/run", {"command": "true"}).status == 429
    one.pg_ctl("restart", "-m", "immediate")
    (entry,) = wait_entry_after(one)
    assert entry["count"] >= 1
    one.request("DELETE", f"/api/v1/executions/{run}")
    one.wait_status(run)


def wait_entry_after(one):
    def look():
        answer = one.get("/audit?result=LIMIT_EXCEEDED")
        return answer.status == 200 and answer.json["entries"]
    return wait_for(look, "the refusal's row once the database is back")


def test_leave__what_waits_is_written(own_daemon):
    one = own_daemon("--max-live", "1")
    run = one.run("sleep 600")["execution_id"]
    assert one.request("POST", "/api/v1/run", {"command": "true"}).status == 429
    one.stop()
    one.start()
    assert len(entries(one, "?result=LIMIT_EXCEEDED")) == 1
    one.request("DELETE", f"/api/v1/executions/{run}")
    one.wait_status(run)


def make_user(daemon, email, role):
    answer = daemon.request("POST", "/api/v1/users/create", {"email": email, "role": role})
    assert answer.status == 201, answer
    claimed = daemon.get(f"/claim/{answer.json['claim_token']}", key=None)
    assert claimed.status == 200, claimed
    return answer, claimed


def test_every_change__one_row_of_its_request(own_daemon):
    one = own_daemon()
    changes = []  # (request id, action, resource's beginning)

    def did(answer, action, resource):
        assert answer.status < 300, answer
        changes.append((answer.headers["X-Request-ID"], action, resource))
        return answer

    def call(method, path, body=None):
        return one.request(method, f"/api/v1{path}", body)

    created, claimed = make_user(one, "ann@example.org", "developer")
    did(created, "users.create", "user/ann@example.org")
    did(claimed, "claims", "user/ann@example.org")
    key = did(call("POST", "/api-keys", {"description": "d"}), "api_keys.create", "api_key/")
    did(call("DELETE", f"/api-keys/{key.json['id']}"), "api_keys", "api_key/")
    did(call("POST", "/secrets", {"name": "s", "key_name": "S", "value": "value-1"}), "secrets.create", "secret/s")
    did(call("GET", "/secrets/s"), None, None)
    did(call("PUT", "/secrets/s", {"value": "value-2"}), "secrets.update", "secret/s")
    did(call("DELETE", "/secrets/s"), "secrets.delete", "secret/s")
    image = did(call("POST", "/images/register", {"image": "app:1"}), "images.create", "image/app:1-")
    did(call("DELETE", f"/images/{image.json['image_id']}"), "images.delete", "image/app:1-")
    run = did(call("POST", "/run", {"command": "sleep 600"}), "executions.create", "execution/")
    one.wait_status(run.json["execution_id"], ("RUNNING",))
    did(call("DELETE", f"/executions/{run.json['execution_id']}"), "executions.delete", "execution/")
    did(call("POST", "/users/revoke", {"email": "ann@example.org"}), "users.revoke", "user/ann@example.org")
    missing = []
    for request_id, action, resource in changes:
        if action is None:
            continue
        found = one.get(f"/audit?request_id={request_id}").json["entries"]
        if not [e for e in found if e["action"].startswith(action) and e["resource"].startswith(resource)
                and e["result"] == "ok"]:
            missing.append((action, [(e["action"], e["resource"], e["result"]) for e in found]))
    assert not missing, missing
    text = "\n".join("\t".join(row) for row in one.sql("SELECT * FROM audit"))
    for secret in ("value-1", "value-2", key.json["api_key"], created.json["claim_token"], one.key):
        assert secret not in text


def test_every_refusal__a_row(own_daemon):
    one = own_daemon()
    _, claimed = make_user(one, "viewer@example.org", "viewer")
    viewer = claimed.json["api_key"]
    one.request("POST", "/api/v1/secrets", {"name": "hidden", "key_name": "H", "value": "value-1"})
    run = one.run("sleep 600")["execution_id"]
    refused = [
        ("POST", "/run", {"command": "x"}, 403, "executions.create", "FORBIDDEN"),
        ("DELETE", f"/executions/{run}", None, 403, "executions.delete", "FORBIDDEN"),
        ("GET", "/users", None, 403, "users.list", "FORBIDDEN"),
        ("GET", "/audit", None, 403, "audit.read", "FORBIDDEN"),
        ("GET", "/trace/x", None, 403, "traces.read", "FORBIDDEN"),
        ("POST", "/images/register", {"image": "a"}, 403, "images.create", "FORBIDDEN"),
        ("DELETE", "/api-keys/1", None, 404, "api_keys.manage", "NOT_FOUND"),
        ("GET", "/secrets/hidden", None, None, "secrets.read", None),
    ]
    for method, path, body, status, action, result in refused:
        answer = one.request(method, f"/api/v1{path}", body, key=viewer)
        assert answer.status == status or (status is None and answer.status in (403, 404)), (path, answer)
        found = wait_entry(one, f"?request_id={answer.headers['X-Request-ID']}")
        assert found[0]["action"] == action and found[0]["email"] == "viewer@example.org", (path, found)
        assert result is None or found[0]["result"] == result
        assert found[0]["resource"] == path[1:]
    one.request("DELETE", f"/api/v1/executions/{run}")
    one.wait_status(run)


def test_socket__refusals_are_told_too(own_daemon):
    one = own_daemon("--trusted-proxies", "127.0.0.1")
    _, claimed = make_user(one, "dev@example.org", "developer")
    run = one.run("true")["execution_id"]
    ws = one.websocket(key=claimed.json["api_key"], headers={"X-Forwarded-For": "192.0.2.7"})
    ws.send(json.dumps({"type": "subscribe", "execution_id": run}))
    while json.loads(ws.recv())["type"] != "error":
        pass
    ws.close()
    (entry,) = wait_entry(one, "?action=executions.read")
    assert (entry["email"], entry["resource"], entry["result"]) == ("dev@example.org", f"executions/{run}", "FORBIDDEN")
    assert entry["address"] == "192.0.2.7"
