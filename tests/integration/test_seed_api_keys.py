"""The seed's scenarios for API keys (handlers_api_keys), each against the daemon."""
import concurrent.futures

import pytest
from people import make_user, own_keys, revoke_user
from tailgate import wait_for


def create(daemon, user, body=""):
    return daemon.request("POST", "/api/v1/api-keys", body, key=user.key)


def problem(answer):
    return answer.status, answer.json["code"], answer.json["error"], answer.json["details"]


# ---- create ----

def test_create__with_description__201_and_it_works(daemon):
    user = make_user(daemon, "viewer")
    answer = create(daemon, user, {"description": "CI/CD key"})
    assert answer.status == 201
    made = answer.json
    assert made["description"] == "CI/CD key" and made["revoked"] is False
    assert made["api_key"].startswith("tg_") and len(made["api_key"]) == 52
    assert made["prefix"] == made["api_key"][:8]
    assert daemon.get("/executions", key=made["api_key"]).status == 200


@pytest.mark.parametrize("body", ["", {}, {"description": ""}, {"description": None}])
def test_create__without_description__201(daemon, body):
    assert create(daemon, make_user(daemon, "viewer"), body).json["description"] == ""


@pytest.mark.parametrize("text", ["x" * 256, "\u20ac" * 256, "x"], ids=["ascii", "euro", "one"])
def test_create__description_within_256_characters__201(daemon, text):
    assert create(daemon, make_user(daemon, "viewer"), {"description": text}).json["description"] == text


@pytest.mark.parametrize("text", ["x" * 257, "\u20ac" * 257, "x" * 5000, "a\nb"], ids=["ascii", "euro", "long", "lines"])
def test_create__description_too_long__400(daemon, text):
    status, code, error, details = problem(create(daemon, make_user(daemon, "viewer"), {"description": text}))
    assert (status, code, error) == (400, "INVALID_REQUEST", "failed to create API key")
    assert details.startswith("description must be ")


@pytest.mark.parametrize("body", ["{", "[]", '{"description": 1}'])
def test_create__invalid_json__400(daemon, body):
    assert create(daemon, make_user(daemon, "viewer"), body).json["code"] == "INVALID_REQUEST"


def test_create__key_limit_exceeded__429(daemon):
    user = make_user(daemon, "viewer")
    for _ in range(19):
        assert create(daemon, user).status == 201
    answer = create(daemon, user)
    assert problem(answer)[:3] == (429, "LIMIT_EXCEEDED", "failed to create API key")
    assert "20" in answer.json["details"] and int(answer.headers["Retry-After"]) > 0
    last = own_keys(daemon, user)[-1]["id"]
    assert daemon.request("DELETE", f"/api/v1/api-keys/{last}", key=user.key).status == 200
    assert create(daemon, user).status == 201  # those revoked do not count


def test_create__many_at_once__never_past_the_limit(own_daemon):
    daemon = own_daemon("--max-keys-per-user", "5")
    user = make_user(daemon, "viewer")
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        statuses = sorted(pool.map(lambda _: create(daemon, user).status, range(12)))
    assert statuses == [201] * 4 + [429] * 8


def test_create__revoked_user__401(daemon):
    user = make_user(daemon, "viewer")
    revoke_user(daemon, user)
    assert problem(create(daemon, user))[:2] == (401, "API_KEY_REVOKED")


# ---- list ----

def test_list__all_of_the_user__masked(daemon):
    user = make_user(daemon, "viewer")
    made = [create(daemon, user, {"description": name}).json for name in ("one", "two")]
    answer = daemon.get("/api-keys/", key=user.key)
    keys = answer.json["api_keys"]
    assert [k["description"] for k in keys] == ["claimed", "one", "two"]
    assert all(len(k["prefix"]) == 8 and "api_key" not in k and "hash" not in k for k in keys)
    for key in [user.key, *(m["api_key"] for m in made)]:
        assert key not in answer.body.decode() and key[8:] not in answer.body.decode()


def test_list__only_the_first_key__never_empty(daemon):
    assert len(own_keys(daemon, make_user(daemon, "viewer"))) == 1  # who asks has one


def test_list__admin__does_not_see_others(daemon):
    user = make_user(daemon, "viewer")
    admin = make_user(daemon, "admin")
    ids = {k["id"] for k in own_keys(daemon, user)}
    assert not ids & {k["id"] for k in own_keys(daemon, admin)}


def test_list__revoked_user__401(daemon):
    user = make_user(daemon, "viewer")
    revoke_user(daemon, user)
    assert daemon.get("/api-keys", key=user.key).json["code"] == "API_KEY_REVOKED"


def test_list__last_use__to_the_minute(daemon):
    user = make_user(daemon, "viewer")
    made = create(daemon, user).json
    assert "last_used_at" not in own_keys(daemon, user)[1]
    assert daemon.get("/executions", key=made["api_key"]).status == 200
    first = wait_for(lambda: own_keys(daemon, user)[1].get("last_used_at"), "the last use")
    assert daemon.get("/executions", key=made["api_key"]).status == 200
    assert own_keys(daemon, user)[1]["last_used_at"] == first


# ---- revoke ----

def test_revoke__own__invalid_at_once(daemon):
    user = make_user(daemon, "viewer")
    made = create(daemon, user).json
    answer = daemon.request("DELETE", f"/api/v1/api-keys/{made['id']}", key=user.key)
    assert answer.status == 200 and answer.json["id"] == made["id"]
    assert daemon.get("/executions", key=made["api_key"]).json["code"] == "API_KEY_REVOKED"
    assert daemon.get("/executions", key=user.key).status == 200
    assert own_keys(daemon, user)[1]["revoked"] is True


def test_revoke__already_revoked__200_and_nothing_changes(daemon):
    user = make_user(daemon, "viewer")
    made = create(daemon, user).json
    path = f"/api/v1/api-keys/{made['id']}"
    assert [daemon.request("DELETE", path, key=user.key).status for _ in range(2)] == [200, 200]
    told = daemon.sql(
        f"SELECT count(*) FROM audit WHERE action = 'api_keys.revoke' AND resource = 'api_key/{made['id']}'")
    assert told == [["1"]]


@pytest.mark.parametrize("key_id", ["999999", "0", "-1", "x", "1x", "9" * 30])
def test_revoke__unknown__404(daemon, key_id):
    answer = daemon.request("DELETE", f"/api/v1/api-keys/{key_id}")
    assert problem(answer) == (404, "NOT_FOUND", "failed to revoke API key", "API key not found")


def test_revoke__another_users__404_also_for_an_admin(daemon):
    user = make_user(daemon, "viewer")
    key_id = own_keys(daemon, user)[0]["id"]
    for other in (make_user(daemon, "viewer"), make_user(daemon, "admin")):
        answer = daemon.request("DELETE", f"/api/v1/api-keys/{key_id}", key=other.key)
        assert problem(answer)[:2] == (404, "NOT_FOUND")
    assert daemon.get("/executions", key=user.key).status == 200


def test_revoke__the_key_of_the_call_itself__200_then_401(daemon):
    user = make_user(daemon, "viewer")
    key_id = own_keys(daemon, user)[0]["id"]
    assert daemon.request("DELETE", f"/api/v1/api-keys/{key_id}", key=user.key).status == 200
    assert daemon.get("/api-keys", key=user.key).json["code"] == "API_KEY_REVOKED"


def test_service_error__database_refuses__503_and_the_key_lives(own_daemon):
    daemon = own_daemon()
    user = make_user(daemon, "viewer")
    key_id = own_keys(daemon, user)[0]["id"]
    daemon.sql("ALTER TABLE audit RENAME TO audit_away")
    answer = daemon.request("DELETE", f"/api/v1/api-keys/{key_id}", key=user.key)
    assert problem(answer)[:2] == (503, "DATABASE_ERROR")
    assert create(daemon, user).status == 503
    daemon.sql("ALTER TABLE audit_away RENAME TO audit")
    assert len(own_keys(daemon, user)) == 1
    assert daemon.get("/executions", key=user.key).status == 200
