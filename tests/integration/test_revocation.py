"""Revoking a user or a key ends what they have open, of each kind, through every gateway, within a second."""
import http.client
import json
import threading
import time
import urllib.parse

import pytest
import websocket
from people import make_user, own_keys, revoke_user
from tailgate import DEADLINE, Daemon, close_frame, wait_for

LIMIT_S = 1.0
ATTEMPTS = 10


class Download:
    """A streamed answer that goes on: logs.txt?follow=1 or Server-Sent Events."""

    def __init__(self, daemon, path, key):
        parts = urllib.parse.urlsplit(daemon.url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=DEADLINE)
        self.connection.request("GET", path, headers={"X-API-Key": key})
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        self.response.fp.readline()  # the first chunk's size: it has begun

    def wait_end(self):
        """What it says when it is cut: the body is incomplete."""
        try:
            self.response.read()
        except (http.client.IncompleteRead, ConnectionResetError):
            return "cut"
        return "complete"


class Socket:
    def __init__(self, ws):
        self.ws = ws

    def wait_end(self):
        while True:
            opcode, data = self.ws.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return int.from_bytes(data[:2], "big"), data[2:].decode()


def open_session(daemon, user, execution_id):
    ws = daemon.websocket(key=user.key)
    assert json.loads(ws.recv())["type"] == "hello"
    ws.send(json.dumps({"type": "subscribe", "execution_id": execution_id}))
    while json.loads(ws.recv())["type"] != "live":
        pass
    return Socket(ws)


def open_ticket(daemon, user, execution_id):
    ticket = daemon.request("POST", "/api/v1/tickets", key=user.key).json["ticket"]
    ws = daemon.websocket(f"/api/v1/ws?ticket={ticket}", key=None)
    assert json.loads(ws.recv())["type"] == "hello"
    return Socket(ws)


def open_runvoy(daemon, user, execution_id):
    url = daemon.get(f"/executions/{execution_id}/logs", key=user.key).json["websocket_url"]
    ws = daemon.websocket(url, subprotocol=None, key=None)
    assert json.loads(ws.recv())["message"] == "begun"
    return Socket(ws)


def open_text(daemon, user, execution_id):
    return Download(daemon, f"/api/v1/executions/{execution_id}/logs.txt?follow=1", user.key)


def open_events(daemon, user, execution_id):
    return Download(daemon, f"/api/v1/executions/{execution_id}/logs/stream", user.key)


REVOKED = (4401, "the key or its user was revoked")
KINDS = {
    "session": (open_session, REVOKED),
    "ticket": (open_ticket, REVOKED),
    "runvoy": (open_runvoy, REVOKED),
    "logs.txt": (open_text, "cut"),
    "sse": (open_events, "cut"),
}


def ended(session):
    """Waits for its end in a thread: (how, when)."""
    result = {}

    def wait():
        result["how"] = session.wait_end()
        result["when"] = time.monotonic()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    result["thread"] = thread
    return result


def revoke_key(daemon, user):
    key_id = next(k["id"] for k in own_keys(daemon, user) if user.key.startswith(k["prefix"]))
    answer = daemon.request("DELETE", f"/api/v1/api-keys/{key_id}", key=user.key)
    assert answer.status == 200, answer


@pytest.fixture(scope="module")
def gateways():
    """Two on one database: the second one's sessions are to end by what the first one is told."""
    first = Daemon()
    try:
        first.start()
        second = Daemon("--database-url", first.conninfo())
        try:
            yield first, second.start()
        finally:
            second.close()
    finally:
        first.close()


def long_run(daemon, key):
    answer = daemon.request("POST", "/api/v1/run", {"command": "echo begun; exec sleep 300"}, key=key)
    assert answer.status == 202, answer
    execution_id = answer.json["execution_id"]
    wait_for(lambda: daemon.logs_txt(execution_id), "the first line")
    return execution_id


def seconds_to_end(session, expected, revoke):
    result = ended(session)
    begun = time.monotonic()
    revoke()
    result["thread"].join(DEADLINE)
    assert result.get("how") == expected
    return result["when"] - begun


def check_in_time(attempt):
    """The best of several attempts: on a busy machine all that is measured comes late."""
    took = []
    while not took or took[-1] >= LIMIT_S:
        assert len(took) < ATTEMPTS, took
        took.append(attempt())


@pytest.mark.parametrize("other", [False, True], ids=["same-gateway", "other-gateway"])
@pytest.mark.parametrize("kind", KINDS)
def test_user_revoked__open_stream__ended_within_a_second(gateways, kind, other):
    opener, expected = KINDS[kind]
    bystander = make_user(gateways[0], "viewer")
    bystanders = open_session(gateways[other], bystander, long_run(gateways[0], gateways[0].key))

    def attempt():
        user = make_user(gateways[0], "developer")
        session = opener(gateways[other], user, long_run(gateways[0], user.key))
        return seconds_to_end(session, expected, lambda: revoke_user(gateways[0], user))

    check_in_time(attempt)
    bystanders.ws.ping()
    assert bystanders.ws.recv_data(control_frame=True)[0] == websocket.ABNF.OPCODE_PONG
    bystanders.ws.close()


# Runvoy's token is the user's, not the key's: it lives on.
@pytest.mark.parametrize("other", [False, True], ids=["same-gateway", "other-gateway"])
@pytest.mark.parametrize("kind", [k for k in KINDS if k != "runvoy"])
def test_key_revoked__open_stream__ended_within_a_second(gateways, kind, other):
    opener, expected = KINDS[kind]

    def attempt():
        user = make_user(gateways[0], "developer")
        second_key = gateways[0].request("POST", "/api/v1/api-keys", key=user.key).json["api_key"]
        session = opener(gateways[other], user, long_run(gateways[0], user.key))
        took = seconds_to_end(session, expected, lambda: revoke_key(gateways[0], user))
        assert gateways[other].get("/executions", key=second_key).status == 200
        return took

    check_in_time(attempt)


def test_hint_lost__poll__ended_within_a_second(gateways):
    """As if NOTIFY had not come: written past the gateways."""

    def attempt():
        user = make_user(gateways[0], "viewer")
        session = Socket(gateways[1].websocket(key=user.key))
        assert json.loads(session.ws.recv())["type"] == "hello"
        return seconds_to_end(session, REVOKED, lambda: gateways[0].sql(
            f"UPDATE users SET revoked_at = now() WHERE email = '{user.email}'"))

    check_in_time(attempt)


def test_user_revoked__key_ticket_token_claim__good_for_nothing_at_once(gateways):
    first, second = gateways
    user = make_user(first, "developer")
    execution_id = long_run(first, user.key)
    token_url = first.get(f"/executions/{execution_id}/logs", key=user.key).json["websocket_url"]
    ticket = first.request("POST", "/api/v1/tickets", key=user.key).json["ticket"]
    fresh = first.request("POST", "/api/v1/users/create", {"email": f"x{user.email}", "role": "viewer"}).json
    revoke_user(first, user)
    first.request("POST", "/api/v1/users/revoke", {"email": f"x{user.email}"})
    for daemon in gateways:
        answer = daemon.get("/executions", key=user.key)
        assert (answer.status, answer.json["code"]) == (401, "API_KEY_REVOKED")
        assert daemon.get(f"/claim/{fresh['claim_token']}", key=None).status == 404
        ws = daemon.websocket(token_url, subprotocol=None, key=None)
        assert close_frame(ws) == REVOKED
    ws = second.websocket(f"/api/v1/ws?ticket={ticket}", key=None)
    assert json.loads(ws.recv())["code"] == "INVALID_API_KEY"
    assert close_frame(ws)[0] == 4401
