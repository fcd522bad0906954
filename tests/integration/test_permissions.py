"""Every route for everybody: who gets through, and the status and code of who does not. The routes are
those of the code's own table, so that one without a row here fails."""
import functools
import itertools
import json
import re
import subprocess

import pytest
from people import make_user, own_keys, revoke_user
from tailgate import BIN

# Whose key the call carries. `owner` made what the path names, `developer` did not; both are developers.
ACTORS = ["none", "bad", "revoked", "admin", "operator", "developer", "viewer", "owner"]
WITH_KEY = ACTORS[3:]
KEYLESS = {"none": (401, "UNAUTHORIZED"), "bad": (401, "INVALID_API_KEY"), "revoked": (401, "API_KEY_REVOKED")}
FORBIDDEN = (403, "FORBIDDEN")
HIDDEN = (404, "NOT_FOUND")
NO_SECRET = (404, "SECRET_NOT_FOUND")


def public(status):
    return {actor: (status, None) for actor in ACTORS}


def allowed(status, *who, otherwise=FORBIDDEN):
    """The status for these, the refusal for others."""
    return KEYLESS | {actor: (status, None) if actor in who else otherwise for actor in WITH_KEY}


def everybody(status):
    return allowed(status, *WITH_KEY)


RUNNERS = ["admin", "operator", "developer", "owner"]
READERS = ["admin", "operator", "viewer", "owner"]
SECRET_READERS = ["admin", "operator", "owner"]

_number = itertools.count(1)


class World:
    """What the calls are about: each is made by `owner`, anew where a call uses it up."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.users = {role: make_user(daemon, role) for role in ("admin", "operator", "developer", "viewer")}
        self.users["owner"] = make_user(daemon, "developer")
        self.users["revoked"] = make_user(daemon, "developer")
        revoke_user(daemon, self.users["revoked"])
        self.keys = {actor: user.key for actor, user in self.users.items()}
        self.keys |= {"none": None, "bad": "tg_" + "A" * 49}
        self.ended = self.execution()

    def execution(self):
        answer = self.daemon.request("POST", "/api/v1/run", {"command": "true"}, key=self.keys["owner"])
        assert answer.status == 202, answer
        self.daemon.wait_status(answer.json["execution_id"])
        return answer.json["execution_id"]

    def name(self):
        return f"thing-{next(_number)}"

    def secret(self):
        name = self.name()
        answer = self.daemon.request("POST", "/api/v1/secrets", self.new_secret(name), key=self.keys["owner"])
        assert answer.status == 201, answer
        return name

    def new_secret(self, name=None):
        return {"name": name or self.name(), "key_name": "SOME_KEY", "value": "hunter22"}

    def image(self):
        reference = f"{self.name()}:1"
        answer = self.daemon.request("POST", "/api/v1/images/register", {"image": reference})
        assert answer.status == 201, answer
        images = self.daemon.get("/images").json["images"]
        return next(i["image_id"] for i in images if i["image"] == reference)

    def api_key(self):
        before = {k["id"] for k in own_keys(self.daemon, self.users["owner"])}
        answer = self.daemon.request("POST", "/api/v1/api-keys", key=self.keys["owner"])
        assert answer.status == 201 and answer.json["id"] not in before, answer
        return answer.json["id"]

    def asset(self):
        page = self.daemon.request("GET", "/", key=None)
        return re.search(r'src="/assets/([^"]+)"', page.body.decode())[1]

    def user(self):
        email = f"{self.name()}@example.org"
        answer = self.daemon.request("POST", "/api/v1/users/create", {"email": email, "role": "viewer"})
        assert answer.status == 201, answer
        return email, answer.json["claim_token"]


def nothing(world):
    return "", None


# route: (what everybody gets, what stands for {…} in the path and which body goes with it)
EXECUTION = (lambda w: (w.ended, None))
SECRET = (lambda w: (w.secret(), None))
ASSET = (lambda w: (w.asset(), None))
ROUTES = {
    "GET /": (public(200), nothing),
    "GET /executions": (public(200), nothing),
    "GET /executions/{id}": (public(200), EXECUTION),
    "GET /run": (public(200), nothing),
    "GET /secrets": (public(200), nothing),
    "GET /images": (public(200), nothing),
    "GET /users": (public(200), nothing),
    "GET /keys": (public(200), nothing),
    "GET /health": (public(200), nothing),
    "GET /audit": (public(200), nothing),
    "GET /settings": (public(200), nothing),
    "GET /favicon.svg": (public(200), nothing),
    "GET /manifest.webmanifest": (public(200), nothing),
    "GET /assets/{name...}": (public(200), ASSET),
    "GET /api/v1/session": (everybody(200), nothing),
    "GET /livez": (public(200), nothing),
    "GET /readyz": (public(200), nothing),
    "GET /metrics": (public(200), nothing),
    "GET /api/v1/health": (public(200), nothing),
    "GET /api/v1/claim/{token}": (public(200), lambda w: (w.user()[1], None)),
    "POST /api/v1/health/reconcile": (allowed(200, "admin", "operator"), nothing),
    "POST /api/v1/run": (allowed(202, *RUNNERS), lambda w: ("", {"command": "true"})),
    "POST /api/v1/executions": (allowed(201, *RUNNERS), lambda w: ("", {"command": "true"})),
    "GET /api/v1/executions": (everybody(200), nothing),
    "GET /api/v1/executions/{id}": (allowed(200, *READERS), EXECUTION),
    "GET /api/v1/executions/{id}/status": (allowed(200, *READERS), EXECUTION),
    "GET /api/v1/executions/{id}/logs": (allowed(200, *READERS), EXECUTION),
    "GET /api/v1/executions/{id}/logs.txt": (allowed(200, *READERS), EXECUTION),
    "GET /api/v1/executions/{id}/logs/stream": (allowed(200, *READERS), EXECUTION),
    "DELETE /api/v1/executions/{id}": (allowed(204, "admin", "operator", "owner"), EXECUTION),
    "POST /api/v1/tickets": (everybody(201), nothing),
    "GET /api/v1/images": (everybody(200), nothing),
    "GET /api/v1/images/{name...}": (everybody(200), lambda w: (w.image(), None)),
    "POST /api/v1/images/register": (allowed(201, "admin", "operator"), lambda w: ("", {"image": f"{w.name()}:1"})),
    "DELETE /api/v1/images/{name...}": (allowed(200, "admin", "operator"), lambda w: (w.image(), None)),
    "GET /api/v1/audit": (allowed(200, "admin"), nothing),
    "GET /api/v1/trace/{request_id}": (allowed(200, "admin"), lambda w: ("0" * 32, None)),
    "GET /api/v1/users": (allowed(200, "admin", "operator"), nothing),
    "POST /api/v1/users/create": (allowed(201, "admin"),
                                  lambda w: ("", {"email": f"{w.name()}@example.org", "role": "viewer"})),
    "POST /api/v1/users/revoke": (allowed(200, "admin"), lambda w: ("", {"email": w.user()[0]})),
    "POST /api/v1/api-keys": (everybody(201), nothing),
    "GET /api/v1/api-keys": (everybody(200), nothing),
    "DELETE /api/v1/api-keys/{id}": (allowed(200, "owner", otherwise=HIDDEN), lambda w: (w.api_key(), None)),
    "GET /api/v1/secrets": (allowed(200, *RUNNERS), nothing),
    "POST /api/v1/secrets": (allowed(201, *RUNNERS), lambda w: ("", w.new_secret())),
    "GET /api/v1/secrets/{name}": (allowed(200, *SECRET_READERS, otherwise=NO_SECRET), SECRET),
    "PUT /api/v1/secrets/{name}": (allowed(200, *SECRET_READERS, otherwise=NO_SECRET),
                                   lambda w: (w.secret(), {"value": "other-value"})),
    "DELETE /api/v1/secrets/{name}": (allowed(200, *SECRET_READERS, otherwise=NO_SECRET), SECRET),
}


@functools.cache
def routes_of_the_code():
    text = subprocess.run([BIN / "doc_tables", "routes"], check=True, capture_output=True, text=True).stdout
    return re.findall(r"^\| `([^`]+)`", text, re.M)


@pytest.fixture(scope="module")
def world(daemon):
    return World(daemon)


def test_routes__every_one_has_a_row():
    assert not set(routes_of_the_code()) - set(ROUTES)


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("route", ROUTES)
def test_route__for_everybody__status_and_code(world, route, actor):
    if route not in routes_of_the_code():
        pytest.skip("this server has no such route")
    expected, prepare = ROUTES[route]
    status, code = expected[actor]
    method, pattern = route.split()
    inserted, body = prepare(world)
    path = re.sub(r"\{[^}]+\}", inserted, pattern)
    answer = world.daemon.request(method, path, body, key=world.keys[actor])
    assert answer.status == status, answer
    if code:
        assert answer.json["code"] == code
        assert answer.json["error"] and answer.json["details"]


def test_list__developer__sees_the_own_executions_only(world):
    ids = {actor: {e["execution_id"] for e in world.daemon.get("/executions?limit=0", key=world.keys[actor]).json}
           for actor in WITH_KEY}
    assert world.ended in ids["owner"]
    assert world.ended not in ids["developer"]
    assert ids["owner"] < ids["viewer"] == ids["operator"] == ids["admin"]


@pytest.mark.parametrize("actor", WITH_KEY)
def test_subscribe__on_a_websocket__held_against_the_policy(world, actor):
    ws = world.daemon.websocket(key=world.keys[actor])
    ws.send(json.dumps({"type": "subscribe", "execution_id": world.ended}))
    types = []
    while not types or types[-1] not in ("end", "error"):
        message = json.loads(ws.recv())
        types.append(message["type"])
    if actor in READERS:
        assert types[-1] == "end", types
    else:
        assert message["code"] == "FORBIDDEN" and not message.get("fatal"), message
    ws.close()
