"""The other ways in and out: tickets for a browser's WebSocket, Server-Sent Events."""
import http.client
import json
import urllib.parse

import pytest
from tailgate import DEADLINE, Reader, close_frame, wait_for


def make_ticket(daemon):
    answer = daemon.request("POST", "/api/v1/tickets")
    assert answer.status == 201, answer
    assert set(answer.json) == {"ticket", "expires_at"}
    return answer.json["ticket"]


def connect(daemon, ticket):
    """As a browser does: nothing but the URL."""
    return daemon.websocket(f"/api/v1/ws?ticket={ticket}", key=None)


def refused(ws):
    """The error message that comes first, then the close code."""
    opcode, data = ws.recv_data()
    message = json.loads(data)
    assert message["type"] == "error" and message["fatal"], message
    code, reason = close_frame(ws)
    assert reason
    return message["code"], message["details"], code


UNKNOWN = ("INVALID_API_KEY", "the ticket is unknown, used or expired", 4401)


class Events:
    """A reader of Server-Sent Events that checks the ids as they come."""

    def __init__(self, daemon, execution_id, query="", **headers):
        parts = urllib.parse.urlsplit(daemon.url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=DEADLINE)
        self.connection.request("GET", f"/api/v1/executions/{execution_id}/logs/stream{query}",
                                headers={"X-API-Key": daemon.key, **headers})
        self.response = self.connection.getresponse()
        self.execution_id, self.last_id = execution_id, None
        self.lines, self.named, self.pings, self.retry = [], [], 0, None

    def step(self):
        """Reads one event; False when the answer has ended."""
        event = {"event": "message"}
        while (line := self.response.readline().decode()) != "\n":
            if not line:
                return False
            if line.startswith(":"):
                self.pings += 1
                continue
            name, value = line.rstrip("\n").split(": ", 1)
            event[name] = value
        self.retry = event.get("retry", self.retry)
        if "data" not in event:
            return True
        data = json.loads(event["data"])
        if event["event"] != "message":
            self.named.append((event["event"], data))
            return True
        seq = int(event["id"])
        assert data["event_id"] == f"{self.execution_id}-{seq:020d}"
        assert self.last_id is None or seq == self.last_id + 1
        self.last_id = seq
        self.lines.append(data)
        return True

    def read_to_end(self):
        while self.step():
            pass
        assert self.named[-1][0] == "end", self.named
        return self

    def read_until(self, count):
        while len(self.lines) < count:
            assert self.step()
        return self

    def messages(self):
        return [line["message"] for line in self.lines if line["stream"] != "system"]


# ---- tickets ----

def test_ticket__no_headers__works_once(daemon):
    i = daemon.finish("seq 3")["execution_id"]
    ticket = make_ticket(daemon)
    ws = connect(daemon, ticket)
    assert json.loads(ws.recv())["type"] == "hello"
    ws.send(json.dumps({"type": "subscribe", "execution_id": i}))
    assert json.loads(ws.recv())["type"] == "subscribed"
    assert [line[2] for line in json.loads(ws.recv())["lines"]][:1] == ["1"]
    ws.close()
    assert refused(connect(daemon, ticket)) == UNKNOWN
    assert ticket not in daemon.log_path.read_text()


@pytest.mark.parametrize("ticket", ["", "x", "A" * 43, "A" * 44])
def test_ticket__unknown__4401(daemon, ticket):
    code, details, close = refused(connect(daemon, ticket))
    assert (code, close) == ("INVALID_API_KEY", 4401) and "ticket" in details


def test_ticket__expired__4401(daemon):
    ticket = make_ticket(daemon)
    daemon.sql("UPDATE tickets SET expires_at = now()")
    assert refused(connect(daemon, ticket)) == UNKNOWN
    make_ticket(daemon)
    assert daemon.sql("SELECT count(*) FROM tickets WHERE expires_at <= now()") == [["0"]]


def test_ticket__key_revoked_meanwhile__4401(own_daemon):
    daemon = own_daemon()
    ticket = make_ticket(daemon)
    daemon.sql("UPDATE api_keys SET revoked_at = now()")
    assert refused(connect(daemon, ticket)) == UNKNOWN


def test_ticket__made_at_one_gateway__works_once_at_the_other(own_daemon):
    one = own_daemon()
    two = own_daemon("--database-url", one.conninfo())
    ticket = make_ticket(one)
    assert json.loads(connect(two, ticket).recv())["type"] == "hello"
    assert refused(connect(one, ticket)) == UNKNOWN


# ---- Server-Sent Events ----

def test_events__whole_run__every_line_once(daemon):
    i = daemon.run("seq 20000; echo wrong >&2; exit 3")["execution_id"]
    events = Events(daemon, i)
    assert events.response.status == 200
    assert events.response.headers["Content-Type"] == "text/event-stream"
    assert events.response.headers["Cache-Control"] == "no-store"
    assert events.response.headers["X-Accel-Buffering"] == "no"
    events.read_to_end()
    assert events.retry == "1000"
    out = [line["message"] for line in events.lines if line["stream"] == "stdout"]
    assert out == [str(n) for n in range(1, 20001)]
    assert [line["message"] for line in events.lines if line["stream"] == "stderr"] == ["wrong"]
    end = events.named[-1][1]
    assert (end["status"], end["exit_code"], end["last_seq"]) == ("FAILED", 3, events.last_id)
    assert events.named[0][0] == "status" and events.named[-2][1]["status"] == "FAILED"


@pytest.mark.parametrize("place", ["seq", "event_id", "query"])
def test_events__resumed__from_the_next_line(daemon, place):
    status = daemon.finish("seq 500")
    i, last = status["execution_id"], status["last_seq"]
    if place == "query":
        events = Events(daemon, i, "?after=200")
    else:
        value = "200" if place == "seq" else f"{i}-{200:020d}"
        events = Events(daemon, i, "?after=3", **{"Last-Event-ID": value})
    events.read_to_end()
    assert len(events.lines) == last - 200 and events.lines[0]["event_id"].endswith(f"{201:020d}")
    assert Events(daemon, i, f"?after={last}").read_to_end().lines == []


def test_events__live__lines_as_they_come_and_pings(own_daemon):
    daemon = own_daemon("--ping-interval", "50ms")
    go = daemon.dir / "go"
    i = daemon.run(f"echo one; until [ -e {go} ]; do sleep 0.05; done; echo two")["execution_id"]
    events = Events(daemon, i).read_until(1)
    assert daemon.status(i)["status"] in ("STARTING", "RUNNING")
    while events.pings < 3:
        line = events.response.readline()
        events.pings += line == b": ping\n"
    go.touch()
    # The blank line behind the last comment is an event without data.
    events.read_to_end()
    assert events.messages() == ["one", "two"]


def test_events__server_restarted__resumed_without_a_gap(own_daemon):
    daemon = own_daemon()
    i = daemon.run("for n in $(seq 60); do echo $n; sleep 0.05; done")["execution_id"]
    events = Events(daemon, i).read_until(5)
    daemon.kill9()
    try:
        while events.step():
            pass
    except (OSError, http.client.HTTPException):
        pass
    daemon.start()
    rest = Events(daemon, i, **{"Last-Event-ID": str(events.last_id)}).read_to_end()
    assert events.messages() + rest.messages() == [str(n) for n in range(1, 61)]


def test_events__same_as_tailgate_v1(daemon):
    i = daemon.finish("seq 100; printf x >&2")["execution_id"]
    lines = Reader(daemon, i).read_to_end().lines
    events = Events(daemon, i).read_to_end().lines
    assert [(e["timestamp"], e["stream"][:1 if e["stream"] == "system" else None], e["message"]) for e in events] == \
        [(t, {"o": "stdout", "e": "stderr", "s": "s"}[s], text) for t, s, text, *_ in lines]


def test_events__unknown_execution_or_bad_position__answered(daemon):
    assert daemon.get(f"/executions/{'0' * 32}/logs/stream").status == 404
    i = daemon.finish("true")["execution_id"]
    answer = daemon.get(f"/executions/{i}/logs/stream", headers={"Last-Event-ID": "x"})
    assert (answer.status, answer.json["code"]) == (400, "INVALID_REQUEST")


def test_events__reader_gone__forgotten(daemon):
    i = daemon.run("sleep 30")["execution_id"]
    wait_for(lambda: daemon.status(i)["status"] == "RUNNING", "the run")
    events = Events(daemon, i)
    assert events.step()
    events.connection.sock.close() if events.connection.sock else events.response.close()
    assert daemon.request("DELETE", f"/api/v1/executions/{i}").status == 200
