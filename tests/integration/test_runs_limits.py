"""Limits over all gateways of a database, the queue, and what becomes of queued runs."""
import concurrent.futures

from people import make_user, revoke_user
from tailgate import Reader

SLEEP = "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done"


def post(daemon, command=SLEEP, key=..., **fields):
    return daemon.request("POST", "/api/v1/run", {"command": command, **fields}, key=key)


def kill(daemon, execution_id):
    assert daemon.request("DELETE", f"/api/v1/executions/{execution_id}").status in (200, 204)


def running(daemon):
    return int(daemon.sql("SELECT count(*) FROM executions WHERE status IN ('STARTING', 'RUNNING', 'TERMINATING')")[0][0])


def test_max_running__past_it__429_with_retry_after(own_daemon):
    daemon = own_daemon("--max-running", "2")
    ids = [post(daemon).json["execution_id"] for _ in range(2)]
    refused = post(daemon)
    assert refused.status == 429 and refused.json["code"] == "LIMIT_EXCEEDED", refused
    assert refused.headers["Retry-After"] and "2 executions are running" in refused.json["details"]
    kill(daemon, ids[0])
    daemon.wait_status(ids[0])
    assert post(daemon, "true").status == 202
    # What was refused left nothing behind.
    assert daemon.sql("SELECT count(*) FROM executions") == [["3"]]


def test_max_running_per_user__others_are_not_hindered(own_daemon):
    daemon = own_daemon("--max-running-per-user", "1")
    other = make_user(daemon, "developer")
    assert post(daemon).status == 202
    refused = post(daemon)
    assert refused.status == 429 and "of your executions" in refused.json["details"]
    assert post(daemon, key=other.key).status == 202
    assert post(daemon, key=other.key).status == 429


def test_last_place__many_at_once_on_two_gateways__one_wins(own_daemon):
    one = own_daemon("--max-running", "3")
    two = own_daemon("--max-running", "3", "--database-url", one.conninfo())
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda i: post((one, two)[i % 2]), range(24)))
    assert sorted(a.status for a in answers) == [202] * 3 + [429] * 21
    assert running(one) == 3


def test_queue__user_revoked_meanwhile__stopped_and_never_started(own_daemon):
    daemon = own_daemon("--max-running", "1", "--queue")
    user = make_user(daemon, "operator")
    first = post(daemon).json["execution_id"]
    answer = daemon.request("POST", "/api/v1/run", {"command": "echo started", "env": {"A": "sealed"}}, key=user.key)
    assert answer.status == 202 and answer.json["queued"], answer
    left = answer.json["execution_id"]
    kept = post(daemon, "echo mine").json["execution_id"]
    revoke_user(daemon, user)
    end = daemon.wait_status(left)
    assert (end["status"], end["exit_code"], end["reason"]) == ("STOPPED", 130, "user_revoked")
    kill(daemon, first)
    assert daemon.wait_status(kept)["status"] == "SUCCEEDED"
    assert daemon.logs_txt(left) == b""
    assert daemon.sql("SELECT to_status, cause FROM execution_events JOIN executions USING (execution_key) WHERE "
                      f"execution_id = '{left}' ORDER BY 1") == [["PENDING", "accepted"], ["STOPPED", "its user was revoked"]]
    assert daemon.sql("SELECT count(*) FROM execution_environments") == [["0"]]


def test_queue__waits_then_starts_in_order(own_daemon):
    daemon = own_daemon("--max-running", "1", "--queue")
    first = post(daemon).json
    waiting = [post(daemon, f"echo {i} $MARK", env={"MARK": f"m{i}"}) for i in range(3)]
    for answer in waiting:
        assert answer.status == 202
        assert (answer.json["status"], answer.json["queued"]) == ("STARTING", True)
    ids = [a.json["execution_id"] for a in waiting]
    status = daemon.status(ids[0])
    assert (status["status"], status["queued"], status["exit_code"]) == ("STARTING", True, None)
    listed = daemon.get("/executions?status=STARTING").json
    assert {e["execution_id"] for e in listed if e.get("queued")} == set(ids)
    assert {e["execution_id"] for e in daemon.get("/executions?status=PENDING").json} == set(ids)
    logs = daemon.get(f"/executions/{ids[0]}/logs").json
    assert logs["events"] is None and logs["websocket_url"]
    kill(daemon, first["execution_id"])
    ends = [daemon.wait_status(i) for i in ids]
    assert [e["status"] for e in ends] == ["SUCCEEDED"] * 3
    assert [daemon.logs_txt(i) for i in ids] == [b"0 m0\n", b"1 m1\n", b"2 m2\n"]
    starts = daemon.sql("SELECT execution_id FROM execution_events JOIN executions USING (execution_key) "
                        "WHERE from_status = 'PENDING' ORDER BY at")
    assert [row[0] for row in starts] == ids
    assert daemon.sql("SELECT count(*) FROM execution_environments") == [["0"]]


def test_queue__reader_of_a_waiting_run__sees_it_begin_and_end(own_daemon):
    daemon = own_daemon("--max-running", "1", "--queue")
    first = post(daemon).json["execution_id"]
    second = post(daemon, "echo hello").json["execution_id"]
    reader = Reader(daemon, second)
    reader.step()
    kill(daemon, first)
    reader.read_to_end()
    assert [line[2] for line in reader.lines] == ["hello"]
    states = [m["status"] for m in reader.messages if m["type"] == "status"]
    assert states[-1] == "SUCCEEDED" or reader.end["status"] == "SUCCEEDED"


def test_queue__one_users_wait_does_not_hold_up_others(own_daemon):
    daemon = own_daemon("--max-running", "3", "--max-running-per-user", "1", "--queue")
    other = make_user(daemon, "developer")
    assert "queued" not in post(daemon).json
    assert post(daemon, "true").json["queued"] is True
    assert "queued" not in post(daemon, "true", key=other.key).json


def test_queue__full__429(own_daemon):
    daemon = own_daemon("--max-running", "1", "--queue", "--queue-max", "2")
    post(daemon)
    assert [post(daemon, "true").status for _ in range(3)] == [202, 202, 429]


def test_queue__gateway_is_full__waits(own_daemon):
    daemon = own_daemon("--max-live", "1", "--queue")
    first = post(daemon).json["execution_id"]
    second = post(daemon, "echo x").json
    assert second["queued"] is True
    kill(daemon, first)
    assert daemon.wait_status(second["execution_id"])["status"] == "SUCCEEDED"


def test_queue__killed_while_waiting__stopped_130(own_daemon):
    daemon = own_daemon("--max-running", "1", "--queue")
    first = post(daemon).json["execution_id"]
    second = post(daemon, "echo never", env={"API_KEY": "very-secret"}).json["execution_id"]
    answer = daemon.request("DELETE", f"/api/v1/executions/{second}")
    assert answer.status == 200, answer
    end = daemon.status(second)
    assert (end["status"], end["exit_code"], end["reason"]) == ("STOPPED", 130, "stopped")
    assert daemon.request("DELETE", f"/api/v1/executions/{second}").status == 204
    assert daemon.get(f"/executions/{second}/logs").json["events"] in ([], None)
    told = daemon.sql(f"SELECT count(*) FROM audit WHERE action = 'executions.delete' AND resource = 'execution/{second}'")
    assert told == [["1"]]
    assert daemon.sql("SELECT count(*) FROM execution_environments") == [["0"]]
    kill(daemon, first)


def test_queue__through_kill_9__started_afterwards(own_daemon):
    daemon = own_daemon("--max-running", "1", "--queue")
    first = post(daemon).json["execution_id"]
    second = post(daemon, "echo $MARK", env={"MARK": "kept"}).json["execution_id"]
    Reader(daemon, first).read_until(1)
    daemon.kill9()
    daemon.start()
    assert daemon.status(second)["queued"] is True
    kill(daemon, first)
    assert daemon.wait_status(second)["status"] == "SUCCEEDED"
    assert daemon.logs_txt(second) == b"kept\n"


def test_queue__accepted_here_started_there(own_daemon, tmp_path):
    one = own_daemon("--max-running", "1", "--queue")
    keys = one.state / "secrets.key"
    flags = ["--secrets-key-file", str(keys)] if keys.exists() else []
    two = own_daemon("--max-running", "1", "--queue", "--database-url", one.conninfo(), *flags)
    holder = post(two).json["execution_id"]
    waiting = post(one, "echo $MARK", env={"MARK": "over there"}).json["execution_id"]
    one.process.send_signal(19)  # SIGSTOP: the one that accepted it cannot start it
    try:
        kill(two, holder)
        assert two.wait_status(waiting)["status"] == "SUCCEEDED"
        assert two.logs_txt(waiting) == b"over there\n"
    finally:
        one.process.send_signal(18)


def test_without_queue_again__what_waited_is_started(own_daemon):
    daemon = own_daemon("--max-running", "1", "--queue", start=False)
    daemon.start()
    first = post(daemon).json["execution_id"]
    second = post(daemon, "echo x").json["execution_id"]
    kill_after = daemon.status(first)
    assert kill_after["status"] in ("STARTING", "RUNNING")
    daemon.stop()
    daemon.flags = []
    daemon.start()
    assert daemon.wait_status(second)["status"] == "SUCCEEDED"
    kill(daemon, first)
