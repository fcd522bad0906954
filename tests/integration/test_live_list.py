"""The live list on tailgate.v1: a snapshot, then each change, by version; resumed after a reconnect; several gateways."""
import json
import random
import time

import pytest
from tailgate import DEADLINE, TERMINAL, wait_for


class List:
    """A reader of the list that merges by version, as clients do, and checks the messages' order."""

    def __init__(self, daemon, key=..., since=None, rows=None):
        self.ws = daemon.websocket(key=key)
        assert json.loads(self.ws.recv())["type"] == "hello"
        self.rows, self.cursor, self.snapshots, self.changes = dict(rows or {}), since, 0, 0
        self.in_snapshot, self.is_whole, self.messages = False, False, []
        self.send(type="subscribe", executions=True, **({"since": since} if since else {}))

    def send(self, **message):
        self.ws.send(json.dumps(message))

    def step(self):
        m = json.loads(self.ws.recv())
        assert m["type"] == "executions", m
        self.messages.append(m)
        if m["snapshot"]:
            assert m.get("begin", False) != self.in_snapshot
            if m.get("begin"):
                self.rows, self.snapshots = {}, self.snapshots + 1
            self.in_snapshot = m["more"]
            assert m["more"] != ("cursor" in m)
        else:
            assert not self.in_snapshot
            self.changes += len(m["executions"])
        for row in m["executions"]:
            known = self.rows.get(row["execution_id"])
            if not known or row["version"] > known["version"]:
                self.rows[row["execution_id"]] = row
        self.cursor = m.get("cursor", self.cursor)
        self.is_whole = not self.in_snapshot
        return m

    def read_whole(self):
        while not self.is_whole:
            self.step()
        return self

    def read_until(self, condition, deadline=DEADLINE):
        end = time.monotonic() + deadline
        self.ws.settimeout(deadline)
        while not condition(self.rows):
            assert time.monotonic() < end, "the list did not get there"
            self.step()
        return self

    def states(self, ids):
        return [self.rows.get(i, {}).get("status") for i in ids]

    def close(self):
        self.ws.close()
        return self.cursor, self.rows


def has_ended(*ids):
    return lambda rows: all(rows.get(i, {}).get("status") in TERMINAL for i in ids)


def shown(row):
    return {name: row[name] for name in ("status", "version", "exit_code", "command", "created_by")}


def listed(daemon, limit=0):
    return {row["execution_id"]: shown(row) for row in daemon.get(f"/executions?limit={limit}").json}


def test_list__snapshot_then_changes(own_daemon):
    daemon = own_daemon()
    old = [daemon.finish(f"exit {n}")["execution_id"] for n in range(3)]
    reader = List(daemon).read_whole()
    assert set(reader.rows) == set(old) and reader.snapshots == 1 and reader.cursor
    new = daemon.run("exit 7")["execution_id"]
    reader.read_until(has_ended(new))
    assert reader.rows[new]["exit_code"] == 7 and reader.rows[new]["version"] >= 3
    assert {i: shown(row) for i, row in reader.rows.items()} == listed(daemon)
    assert reader.snapshots == 1
    stopped = daemon.run("sleep 30")["execution_id"]
    reader.read_until(lambda rows: rows.get(stopped, {}).get("status") == "RUNNING")
    daemon.request("DELETE", f"/api/v1/executions/{stopped}")
    reader.read_until(has_ended(stopped))
    reader.send(type="unsubscribe", executions=True)
    reader.send(type="unsubscribe", executions=True)
    answer = json.loads(reader.ws.recv())
    assert (answer["type"], answer["code"]) == ("error", "NOT_FOUND")
    reader.send(type="subscribe", executions=True, since=reader.cursor)
    assert reader.step()["executions"] == [] and reader.snapshots == 1
    reader.send(type="subscribe", executions=True)
    answer = json.loads(reader.ws.recv())
    assert (answer["type"], answer["code"]) == ("error", "CONFLICT")


def test_list__hints_arrive_before_the_poll(daemon):
    """The poll alone would bring ends up to a second late, spread evenly: never would six of seven in a row be in time.
    What a busy machine holds up may come late; so it takes as many as are needed."""
    reader, late = List(daemon).read_whole(), []
    while len(late) < 7 or sorted(late[-7:])[5] >= 0.3:
        assert len(late) < 100, late
        i = daemon.run("true")["execution_id"]
        reader.read_until(has_ended(i))
        seen = time.time()
        late.append(seen - float(daemon.sql(f"SELECT extract(epoch FROM completed_at) FROM executions WHERE execution_id = '{i}'")[0][0]))


@pytest.mark.parametrize("since", ["x", "1/2", "1/5:3:", "1/3:5:9", "1/3:5:4,3", "/3:5:", "1/3:5:4,", "9" * 4090 + "/1:1:"])
def test_list__bad_cursor__told(daemon, since):
    reader = List(daemon, since=since)
    answer = json.loads(reader.ws.recv())
    assert (answer["type"], answer["code"]) == ("error", "INVALID_REQUEST") and "since" in answer["details"]


@pytest.mark.parametrize("change", [lambda c: "1" + c, lambda c: c.split("/")[0] + "/7000000:7000000:"])
def test_list__cursor_of_another_database__snapshot(daemon, change):
    daemon.finish("true")
    cursor, _ = List(daemon).read_whole().close()
    assert List(daemon, since=change(cursor)).read_whole().snapshots == 1


def test_list__snapshot_is_bounded_but_for_the_live(own_daemon):
    daemon = own_daemon("--list-limit", "150")
    live = daemon.run("sleep 60")["execution_id"]
    daemon.wait_status(live, ("RUNNING",))
    daemon.sql("INSERT INTO executions (execution_key, execution_id, status, command, image_id, created_by, created_at, "
               "completed_at, owner) SELECT k, lpad(to_hex(k), 16, '0') || '0123456789abcdef', 'SUCCEEDED', 'true', 'i', "
               "'admin@localhost', now(), now(), 'x' FROM (SELECT (tg_day(now()) << 32) + n AS k "
               "FROM generate_series(100000, 100999) n) g")
    reader = List(daemon).read_whole()
    assert live in reader.rows and len(reader.rows) == 151
    assert len(reader.messages) > 2 and all(len(json.dumps(m)) < 100_000 for m in reader.messages)
    daemon.request("DELETE", f"/api/v1/executions/{live}")
    reader.read_until(has_ended(live))


def test_list__long_command__cut(daemon):
    i = daemon.finish("true " + "ü" * 20000)["execution_id"]
    reader = List(daemon).read_whole()
    assert len(reader.rows[i]["command"].encode()) in (16384, 16383)


def test_list__late_commit__told(own_daemon):
    """A change that began before others and was committed after them is told all the same."""
    daemon = own_daemon()
    import subprocess
    i = daemon.finish("true")["execution_id"]
    reader = List(daemon).read_whole()
    version = reader.rows[i]["version"]
    sql = ("BEGIN; UPDATE executions SET reason = 'late', version = version + 1 WHERE execution_id = '%s'; "
           "INSERT INTO execution_events (execution_key, version, to_status, cause) SELECT execution_key, version, status, "
           "'late' FROM executions WHERE execution_id = '%s'; SELECT pg_sleep(2.5); COMMIT;" % (i, i))
    late = subprocess.Popen(["/usr/lib/postgresql/15/bin/psql", "-X", "-q", daemon.conninfo(), "-c", sql],
                            stdout=subprocess.DEVNULL)
    others = []
    while late.poll() is None:
        others.append(daemon.finish("true")["execution_id"])
        reader.read_until(has_ended(*others))
    reader.read_until(lambda rows: rows[i]["version"] == version + 1)
    assert reader.rows[i]["reason"] == "late" and reader.snapshots == 1


def test_list__two_gateways_reconnects_and_kills__nothing_missed(own_daemon):
    rng = random.Random(11)
    one = own_daemon()
    two = own_daemon("--database-url", one.conninfo())
    gateways, ids = [one, two], []
    readers = [List(one).read_whole(), List(two).read_whole()]
    cursors_used = 0
    for turn in range(40):
        ids.append(rng.choice(gateways).run(f"sleep {rng.random() / 5:.2f}; exit {turn % 3}")["execution_id"])
        n = rng.randrange(2)
        if rng.random() < 0.4:
            cursor, rows = readers[n].close()
            time.sleep(rng.random() / 10)
            readers[n] = List(rng.choice(gateways), since=cursor, rows=rows)
            cursors_used += 1
        else:
            readers[n].step()
        if turn == 20:
            two.kill9()
            two.start()
            readers = [List(one, since=r.cursor, rows=r.rows) for r in readers]
    for reader in readers:
        reader.read_until(has_ended(*ids))
    expected = listed(one)
    for reader in readers:
        assert {i: shown(row) for i, row in reader.rows.items()} == expected
    assert cursors_used > 5 and sum(r.snapshots for r in readers) <= 2


def test_list__reader_that_stands_still__latest_states_only(own_daemon):
    daemon = own_daemon()
    reader = List(daemon).read_whole()
    daemon.sql("INSERT INTO executions (execution_key, execution_id, status, command, image_id, created_by, created_at, owner) "
               "SELECT k, lpad(to_hex(k), 16, '0') || '0123456789abcdef', 'FAILED', repeat('x', 3000), 'i', 'a@b', now(), 'x' "
               "FROM (SELECT ((tg_day(now()) - 1) << 32) + n AS k FROM generate_series(100000, 102999) n) g")
    for version in range(2, 7):  # five times 9 MB, none of them read meanwhile
        daemon.sql("WITH changed AS (UPDATE executions SET version = %d RETURNING execution_key, version, status) "
                   "INSERT INTO execution_events (execution_key, version, to_status, cause) "
                   "SELECT execution_key, version, status, 'test' FROM changed" % version)
        time.sleep(1.1)
    assert daemon.get("/health").status == 200
    i = daemon.finish("true")["execution_id"]
    reader.read_until(has_ended(i)).read_whole()
    assert reader.changes + sum(len(m["executions"]) for m in reader.messages) < 12_000  # of 18,000 versions
    expected = listed(daemon)
    assert all(expected[i] == shown(row) for i, row in reader.rows.items()) and len(reader.rows) >= 1000


def test_list__database_away__goes_on(own_daemon):
    daemon = own_daemon()
    reader = List(daemon).read_whole()
    daemon.pg_ctl("restart", "-m", "immediate", "-w")
    wait_for(lambda: daemon.request("GET", "/readyz").status == 200, "the database")
    i = daemon.finish("true")["execution_id"]
    reader.read_until(has_ended(i))
    assert reader.snapshots == 1
