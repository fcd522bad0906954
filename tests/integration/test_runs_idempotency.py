"""Idempotency keys: the same request again is the same run."""
import concurrent.futures

from people import make_user
from tailgate import wait_for


def post(daemon, body, header=None, key=..., path="/api/v1/run"):
    headers = {"Idempotency-Key": header} if header else {}
    return daemon.request("POST", path, body, headers=headers, key=key)


def count(daemon, name):
    return int(daemon.sql(f"SELECT count(*) FROM {name}")[0][0])


def test_same_key_same_body__same_execution_fresh_token(daemon):
    body = {"command": "echo once", "env": {"A": "1", "B": "2"}, "timeout": 60}
    first = post(daemon, body, "order-1")
    daemon.wait_status(first.json["execution_id"])
    again = post(daemon, {"env": {"B": "2", "A": "1"}, "timeout": 60, "command": "echo once", "idempotency_key": "order-1"})
    assert (first.status, again.status) == (202, 202)
    assert again.json["execution_id"] == first.json["execution_id"]
    assert first.headers.get("Idempotent-Replayed") is None and again.headers["Idempotent-Replayed"] == "true"
    assert again.json["websocket_url"] and again.json["command"] == "echo once"
    assert daemon.logs_txt(first.json["execution_id"]) == b"once\n"
    created = post(daemon, body, "order-1", path="/api/v1/executions")
    assert created.status == 201 and created.headers["Location"].endswith(first.json["execution_id"])


def test_same_key_other_body__409(daemon):
    assert post(daemon, {"command": "echo a"}, "order-2").status == 202
    refused = post(daemon, {"command": "echo b"}, "order-2")
    assert refused.status == 409 and refused.json["code"] == "CONFLICT", refused


def test_header_and_body__differ__400(daemon):
    refused = post(daemon, {"command": "true", "idempotency_key": "x"}, "y")
    assert refused.status == 400 and "must not differ" in refused.json["details"]
    assert post(daemon, {"command": "true", "idempotency_key": "z"}, "z").status == 202
    assert post(daemon, {"command": "true"}, "k" * 256).status == 400


def test_keys_are_per_user(daemon):
    other = make_user(daemon, "developer")
    mine = post(daemon, {"command": "echo mine"}, "shared")
    theirs = post(daemon, {"command": "echo theirs"}, "shared", key=other.key)
    assert theirs.status == 202 and theirs.json["execution_id"] != mine.json["execution_id"]


def test_many_at_once__one_run(daemon):
    before = count(daemon, "executions")
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: post(daemon, {"command": "echo one"}, "at-once"), range(12)))
    assert {a.status for a in answers} == {202}
    assert len({a.json["execution_id"] for a in answers}) == 1
    assert count(daemon, "executions") == before + 1


def test_refused_request__key_stays_free(own_daemon):
    daemon = own_daemon("--max-running", "1")
    holder = daemon.run("sleep 600")["execution_id"]
    assert post(daemon, {"command": "true"}, "later").status == 429
    daemon.request("DELETE", f"/api/v1/executions/{holder}")
    daemon.wait_status(holder)
    assert post(daemon, {"command": "true"}, "later").status == 202


def test_retention__forgotten_and_swept(own_daemon):
    daemon = own_daemon("--idempotency-retention", "1s")
    first = post(daemon, {"command": "true"}, "short").json["execution_id"]
    for i in range(3):
        post(daemon, {"command": "true"}, f"other-{i}")
    assert count(daemon, "idempotency_keys") == 4
    second = wait_for(lambda: (a := post(daemon, {"command": "true"}, "short").json["execution_id"]) != first and a,
                      "the key to be forgotten", 10, pause=0.2)
    assert second != first
    wait_for(lambda: post(daemon, {"command": "echo other"}, "short").status == 202, "another body to be taken", 10, 0.2)
    assert count(daemon, "idempotency_keys") <= 2


def test_through_a_restart__still_known(own_daemon):
    daemon = own_daemon()
    first = post(daemon, {"command": "true"}, "kept").json["execution_id"]
    daemon.kill9()
    daemon.start()
    assert post(daemon, {"command": "true"}, "kept").json["execution_id"] == first
