"""The seed's scenarios for users (server handlers, constants and validation), each against the daemon;
and what belongs to them here: claims, the first admin, logs without secrets."""
import concurrent.futures
import os
import re
import subprocess

import pytest
from people import make_user, revoke_user
from tailgate import DEADLINE, wait_for


def create(daemon, email, role="viewer", **more):
    return daemon.request("POST", "/api/v1/users/create", {"email": email, "role": role}, **more)


def problem(answer):
    return answer.status, answer.json["code"], answer.json["error"], answer.json["details"]


# ---- creation ----

@pytest.mark.parametrize("role", ["admin", "operator", "developer", "viewer"])
def test_create__each_role__201_and_it_holds(daemon, role):
    email = f"new-{role}@example.org"
    answer = create(daemon, email, role)
    assert answer.status == 201
    user = answer.json["user"]
    assert (user["email"], user["role"], user["revoked"]) == (email, role, False)
    assert user["created_by_request_id"] == user["modified_by_request_id"] == answer.headers["X-Request-ID"]
    assert "last_used" not in user  # never an empty string
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", answer.json["claim_token"])


def test_create__existing__409_also_when_revoked(daemon):
    user = make_user(daemon, "viewer", "twice@example.org")
    expected = (409, "CONFLICT", "failed to create user", "user with this email already exists")
    assert problem(create(daemon, "twice@example.org")) == expected
    assert problem(create(daemon, "TWICE@example.org", "admin")) == expected
    revoke_user(daemon, user)
    assert problem(create(daemon, "twice@example.org")) == expected


def test_create__ten_at_once__one_wins(daemon):
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        statuses = sorted(pool.map(lambda _: create(daemon, "race@example.org").status, range(10)))
    assert statuses == [201] + [409] * 9


@pytest.mark.parametrize("email", ["", "not-an-email", "user@", "@example.com", "a b@example.com", "a@b@example.com",
                                   "a@nodot", "x" * 250 + "@example.com", "a\n@example.com"])
def test_create__invalid_email__400(daemon, email):
    status, code, error, details = problem(create(daemon, email))
    assert (status, code, error) == (400, "INVALID_REQUEST", "failed to create user")
    assert details.startswith("email ")


@pytest.mark.parametrize("role", ["", "root", "Admin", "admin "])
def test_create__invalid_role__400(daemon, role):
    status, code, error, details = problem(create(daemon, "role@example.org", role))
    assert (status, code, error) == (400, "INVALID_REQUEST", "failed to create user")
    assert details.startswith("role ")


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"email": 1}', '{"email": "a@b.c", "email": "a@b.c"}', "{}"])
def test_create__invalid_json__400(daemon, body):
    answer = daemon.request("POST", "/api/v1/users/create", body)
    assert (answer.status, answer.json["code"]) == (400, "INVALID_REQUEST")


def test_create__own_api_key_given__400_and_no_user(daemon):
    answer = daemon.request("POST", "/api/v1/users/create",
                            {"email": "ownkey@example.org", "role": "viewer", "api_key": "mine"})
    assert answer.status == 400 and "api_key" in answer.json["details"]
    assert create(daemon, "ownkey@example.org").status == 201


def test_create__not_authenticated__401(daemon):
    assert problem(create(daemon, "x@example.org", key=None))[:2] == (401, "UNAUTHORIZED")
    assert problem(create(daemon, "x@example.org", key="tg_nonsense"))[:2] == (401, "INVALID_API_KEY")


# ---- revocation ----

def test_revoke__known__200_and_listed_as_revoked(daemon):
    user = make_user(daemon, "developer")
    answer = daemon.request("POST", "/api/v1/users/revoke", {"email": user.email})
    assert answer.status == 200
    assert answer.json["email"] == user.email and answer.json["message"]
    assert daemon.get("/executions", key=user.key).json["code"] == "API_KEY_REVOKED"
    listed = next(u for u in daemon.get("/users").json["users"] if u["email"] == user.email)
    assert listed["revoked"] is True and listed["modified_by_request_id"] == answer.headers["X-Request-ID"]
    assert daemon.request("POST", "/api/v1/users/revoke", {"email": user.email}).status == 200  # once more


def test_revoke__unknown_or_invalid__404_and_400(daemon):
    answer = daemon.request("POST", "/api/v1/users/revoke", {"email": "nobody@example.org"})
    assert problem(answer) == (404, "NOT_FOUND", "failed to revoke user", "user not found")
    assert daemon.request("POST", "/api/v1/users/revoke", {"email": "nobody"}).status == 400
    assert daemon.request("POST", "/api/v1/users/revoke", "").status == 400


def test_revoke__last_admin_with_a_key__409(own_daemon):
    daemon = own_daemon()
    assert create(daemon, "second@example.org", "admin").status == 201  # not claimed: would lock everybody out
    answer = daemon.request("POST", "/api/v1/users/revoke", {"email": "admin@localhost"})
    assert problem(answer)[:3] == (409, "CONFLICT", "failed to revoke user")
    third = make_user(daemon, "admin")
    assert daemon.request("POST", "/api/v1/users/revoke", {"email": "admin@localhost"}).status == 200
    assert daemon.request("POST", "/api/v1/users/revoke", {"email": third.email}, key=third.key).status == 409


# ---- listing ----

@pytest.mark.parametrize("path", ["/users", "/users/"])
def test_list__by_email__with_last_use(daemon, path):
    user = make_user(daemon, "viewer")
    assert daemon.get("/executions", key=user.key).status == 200

    def used():
        users = daemon.get(path).json["users"]
        assert [u["email"] for u in users] == sorted(u["email"] for u in users)
        return next(u for u in users if u["email"] == user.email).get("last_used")

    first = wait_for(used, "the last use")
    assert daemon.get("/executions", key=user.key).status == 200
    assert used() == first  # to the minute
    assert set(daemon.get(path).json["users"][0]) >= {"email", "role", "created_at", "revoked", "created_by_request_id",
                                                      "modified_by_request_id"}


def test_service_error__database_refuses__503_and_nothing_half_done(own_daemon):
    daemon = own_daemon()
    user = make_user(daemon, "viewer")
    daemon.sql("ALTER TABLE audit RENAME TO audit_away")  # the change's second half fails
    refused = [create(daemon, "half@example.org"),
               daemon.request("POST", "/api/v1/users/revoke", {"email": user.email})]
    daemon.sql("ALTER TABLE audit_away RENAME TO audit")
    for answer in refused:
        assert problem(answer)[:2] == (503, "DATABASE_ERROR")
    assert daemon.sql("SELECT count(*) FROM users WHERE email = 'half@example.org'") == [["0"]]
    assert daemon.get("/executions", key=user.key).status == 200
    assert create(daemon, "half@example.org").status == 201


# ---- claims ----

def test_claim__once__then_409(daemon):
    token = create(daemon, "claims@example.org").json["claim_token"]
    first = daemon.get(f"/claim/{token}", key=None, headers={"X-API-Key": ""})
    assert first.status == 200
    assert first.json["user_email"] == "claims@example.org"
    assert daemon.get("/executions", key=first.json["api_key"]).status == 200
    again = daemon.get(f"/claim/{token}/", key=None)
    assert problem(again) == (409, "CONFLICT", "failed to claim API key", "key has already been claimed")
    viewed = daemon.sql("SELECT viewed_from FROM claims JOIN users USING (user_key) WHERE email = 'claims@example.org'")
    assert viewed == [["127.0.0.1"]]


def test_claim__ten_at_once__one_wins(daemon):
    token = create(daemon, "claimrace@example.org").json["claim_token"]
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        statuses = sorted(pool.map(lambda _: daemon.get(f"/claim/{token}", key=None).status, range(10)))
    assert statuses == [200] + [409] * 9
    keys = daemon.sql("SELECT count(*) FROM api_keys JOIN users USING (user_key) WHERE email = 'claimrace@example.org'")
    assert keys == [["1"]]


@pytest.mark.parametrize("token", ["x", "A" * 32, "A" * 400])
def test_claim__unknown__404(daemon, token):
    expected = (404, "NOT_FOUND", "failed to claim API key", "invalid or expired token")
    assert problem(daemon.get(f"/claim/{token}", key=None)) == expected


def test_claim__expired__404(own_daemon):
    daemon = own_daemon("--claim-ttl", "1s")
    token = create(daemon, "late@example.org").json["claim_token"]
    daemon.sql("UPDATE claims SET expires_at = now()")
    expected = (404, "NOT_FOUND", "failed to claim API key", "token has expired")
    assert problem(daemon.get(f"/claim/{token}", key=None)) == expected
    assert daemon.sql("SELECT expires_at < created_at + interval '2 s' FROM claims") == [["t"]]


def test_claim__only_looked_at__still_good(daemon):
    token = create(daemon, "look@example.org").json["claim_token"]
    assert daemon.request("HEAD", f"/api/v1/claim/{token}", key=None).status == 400
    assert daemon.get(f"/claim/{token}", key=None, headers={"Sec-Purpose": "prefetch"}).status == 400
    assert daemon.request("OPTIONS", f"/api/v1/claim/{token}", key=None).status in (200, 204)
    assert daemon.get(f"/claim/{token}", key=None).status == 200


def test_log_and_tables__hold_no_token_and_no_key(daemon):
    user = make_user(daemon, "developer")
    daemon.get(f"/claim/{user.token}/more", key=None)
    daemon.request("POST", f"/api/v1/claim/{user.token}", key=None)
    daemon.get(f"//claim//{user.token}", key=None)
    stored = daemon.sql(
        "SELECT t::text FROM users t UNION ALL SELECT t::text FROM claims t UNION ALL SELECT t::text FROM api_keys t "
        "UNION ALL SELECT t::text FROM audit t UNION ALL SELECT t::text FROM trace_records t")
    text = daemon.log_path.read_text() + str(stored)
    assert "/claim/***" in text
    assert user.token not in text
    assert user.key not in text and user.key[8:] not in text


# ---- the first admin outside --dev ----

def read_until(process, pattern):
    """What was printed up to the line that matches."""
    lines = []
    while not lines or not re.search(pattern, lines[-1]):
        line = process.stdout.readline().decode()
        assert line, lines
        lines.append(line)
    return "".join(lines)


class Plain:
    """tailgated without --dev, as an operator starts it."""

    def __init__(self, daemon, *flags):
        command = [c for c in daemon.command(*flags) if c != "--dev"]
        if os.geteuid() == 0:
            command += ["--run-user", "nobody"]
        self.log = open(daemon.log_path, "ab")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, cwd="/")

    def stop(self):
        self.process.terminate()
        self.process.wait(DEADLINE)
        self.process.stdout.close()
        self.log.close()


def test_bootstrap_admin__until_claimed__a_token_on_standard_output(own_daemon):
    daemon = own_daemon(start=False)
    tokens = []
    for _ in range(2):  # the first token was not used in time: the next start prints another
        plain = Plain(daemon, "--bootstrap-admin", "me@example.org")
        try:
            text = read_until(plain.process, r"/claim/")
            daemon.url = re.search(r"ready: (http\S+)", text).group(1).rstrip("/")
            tokens.append(re.search(r"/api/v1/claim/(\S+)", text).group(1))
            if len(tokens) == 2:
                key = daemon.get(f"/claim/{tokens[1]}", key=None).json["api_key"]
                assert create(daemon, "next@example.org", key=key).status == 201
        finally:
            plain.stop()
    plain = Plain(daemon, "--bootstrap-admin", "me@example.org")
    try:
        assert "me@example.org: there is an account" in read_until(plain.process, "^Admin ")
    finally:
        plain.stop()
    assert not any(token in daemon.log_path.read_text() for token in tokens)


def test_bootstrap_admin__no_address__refused_in_one_line(own_daemon):
    daemon = own_daemon(start=False)
    done = subprocess.run(daemon.command("--bootstrap-admin", "me"), capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "--bootstrap-admin: email must be" in done.stderr
