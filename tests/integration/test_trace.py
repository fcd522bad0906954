"""Traces: the server's own records of a request, kept for a time, with what the request touched."""
import json
import re
import threading

import pytest
from tailgate import wait_for


def trace(daemon, request_id):
    answer = daemon.get(f"/trace/{request_id}")
    assert answer.status == 200, answer
    assert set(answer.json) == {"logs", "related_resources"}
    return answer.json


def wait_trace(daemon, request_id):
    return wait_for(lambda: (found := trace(daemon, request_id))["logs"] and found, f"the trace of {request_id}")


def test_trace__run__records_and_the_execution(daemon):
    answer = daemon.request("POST", "/api/v1/run", {"command": "echo traced"})
    request_id, run = answer.headers["X-Request-ID"], answer.json["execution_id"]
    daemon.wait_status(run)
    found = wait_trace(daemon, request_id)
    (execution,) = found["related_resources"]["executions"]
    assert (execution["execution_id"], execution["command"]) == (run, "echo traced")
    assert (execution["created_by"], execution["owned_by"]) == ("admin@localhost", ["admin@localhost"])
    assert execution["created_by_request_id"] == request_id
    for event in found["logs"]:
        assert set(event) == {"event_id", "timestamp", "message"} and isinstance(event["timestamp"], int)
        assert json.loads(event["message"])["request_id"] == request_id
    assert len({e["event_id"] for e in found["logs"]}) == len(found["logs"])
    http = [m for e in found["logs"] if (m := json.loads(e["message"]))["msg"] == "http"]
    assert http and http[0]["path"] == "/api/v1/run" and http[0]["status"] in ("202", 202)


def test_trace__kill__finds_the_execution_too(daemon):
    run = daemon.run("sleep 600")["execution_id"]
    daemon.wait_status(run, ("RUNNING",))
    answer = daemon.request("DELETE", f"/api/v1/executions/{run}")
    daemon.wait_status(run)
    found = wait_trace(daemon, answer.headers["X-Request-ID"])
    assert [e["execution_id"] for e in found["related_resources"]["executions"]] == [run]


def test_trace__lifecycle_lines_carry_the_creating_request(daemon):
    answer = daemon.request("POST", "/api/v1/run", {"command": "exit 3"})
    daemon.wait_status(answer.json["execution_id"])

    def messages():
        found = trace(daemon, answer.headers["X-Request-ID"])
        return {json.loads(e["message"])["msg"] for e in found["logs"] or []}

    wait_for(lambda: len(messages() - {"http"}) >= 1, "a line of the execution's life")


def test_trace__clients_own_id__found_with_all_its_requests(daemon):
    mine = "client-id-0001"
    first = daemon.request("POST", "/api/v1/images/register", {"image": "traced:1"}, headers={"X-Request-ID": mine})
    second = daemon.request("GET", "/api/v1/images", headers={"X-Request-ID": mine})
    assert first.status == 201 and first.headers["X-Request-ID"] != mine

    def both():
        ids = {json.loads(e["message"])["request_id"] for e in trace(daemon, mine)["logs"] or []}
        return ids >= {first.headers["X-Request-ID"], second.headers["X-Request-ID"]}

    wait_for(both, "both requests in the client's trace")
    (image,) = trace(daemon, mine)["related_resources"]["images"]
    assert image["image_id"] == first.json["image_id"]


def test_trace__nothing_found__200_and_null(daemon):
    assert trace(daemon, "no-such-request") == {"logs": None, "related_resources": {}}


def test_trace__only_admins(daemon):
    assert daemon.get("/trace/x", key=None).status == 401


def test_records__no_key_token_or_secret(daemon):
    daemon.get("/executions")
    ticket = daemon.request("POST", "/api/v1/tickets").json["ticket"]
    answer = daemon.request("POST", "/api/v1/run", {"command": "true", "env": {"PASSWORD": "hunter2hunter2"}})
    token = re.search(r"token=([^&]+)", answer.json["websocket_url"])[1]
    daemon.websocket(answer.json["websocket_url"], subprotocol=None, key=None).close()
    daemon.get("/executions", key="tg_not-a-key-at-all")
    daemon.wait_status(answer.json["execution_id"])
    wait_trace(daemon, answer.headers["X-Request-ID"])
    last = daemon.get("/health")
    daemon.get("/executions")
    text = "\n".join(row[0] for row in daemon.sql("SELECT record FROM trace_records"))
    assert text and last.status == 200
    for secret in (daemon.key, daemon.key[8:], ticket, token, "hunter2hunter2", "tg_not-a-key-at-all"):
        assert secret not in text


def test_retention__what_is_old_goes(own_daemon):
    one = own_daemon("--trace-retention", "1h")
    answer = one.request("GET", "/api/v1/executions")
    wait_trace(one, answer.headers["X-Request-ID"])
    one.sql("UPDATE trace_records SET at = now() - interval '2 hours'")
    one.get("/executions")  # a write sweeps

    def gone():
        return trace(one, answer.headers["X-Request-ID"])["logs"] is None

    wait_for(gone, "the old records to go")


def test_queue__bounded_and_drops_are_counted(own_daemon):
    one = own_daemon("--trace-queue-bytes", "64KiB", "--db-deadline", "30s")
    holder = threading.Thread(target=one.sql, args=("BEGIN; LOCK trace_records IN ACCESS EXCLUSIVE MODE; "
                                                 "SELECT pg_sleep(4); COMMIT",))
    holder.start()
    wait_for(lambda: one.sql("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted "
                             "AND relation = 'trace_records'::regclass")[0][0] == "1", "the lock")

    def dropped():
        assert one.get("/executions").status == 200
        text = one.request("GET", "/metrics", key=None).body.decode()
        return int(re.search(r"^tailgate_trace_dropped_total (\d+)$", text, re.M)[1])

    wait_for(dropped, "records that find no room", pause=0)
    holder.join()
    kept = []

    def goes_on():
        kept.append(one.get("/executions").headers["X-Request-ID"])
        return any(trace(one, request_id)["logs"] for request_id in kept[-20:])

    wait_for(goes_on, "records to be kept again")


@pytest.mark.parametrize("odd", ["%00", "a%2Fb", "%27%3B--", "x" * 2000])
def test_trace__odd_ids__never_a_server_error(daemon, odd):
    assert daemon.get(f"/trace/{odd}").status in (200, 400, 404)
