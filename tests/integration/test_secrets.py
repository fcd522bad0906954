"""Secrets: kept, shown, changed, sealed; and nowhere in what a run prints."""
import base64
import ctypes
import json
import os
import random
import re
import subprocess
import threading
import urllib.parse

import pytest
from people import make_user
from tailgate import BIN, DEADLINE, Gate, Reader, read_runvoy_stream, wait_for

VALUE = 'correct horse/battery+"staple"\\7'


def create(daemon, name, value=VALUE, **more):
    return daemon.request("POST", "/api/v1/secrets", {"name": name, "key_name": "MY_VALUE", "value": value,
                                                      **{k: v for k, v in more.items() if k != "key"}},
                          **{k: v for k, v in more.items() if k == "key"})


def name():
    return f"s-{os.urandom(4).hex()}"


# ---- CRUD ----

def test_create_get_update_list_delete__as_runvoy_does(daemon):
    n = name()
    made = create(daemon, n, description="what it is for")
    assert (made.status, list(made.json)) == (201, ["message"]), made
    shown = daemon.get(f"/secrets/{n}").json["secret"]
    assert {k: shown[k] for k in ("name", "key_name", "description", "value", "created_by", "owned_by", "updated_by")} == {
        "name": n, "key_name": "MY_VALUE", "description": "what it is for", "value": VALUE,
        "created_by": "admin@localhost", "owned_by": ["admin@localhost"], "updated_by": "admin@localhost"}
    assert shown["created_by_request_id"] == made.headers["X-Request-ID"] == shown["modified_by_request_id"]

    changed = daemon.request("PUT", f"/api/v1/secrets/{n}", {"value": "another value", "key_name": ""})
    assert (changed.status, list(changed.json)) == (200, ["message"]), changed
    after = daemon.get(f"/secrets/{n}").json["secret"]
    assert (after["value"], after["key_name"], after["description"]) == ("another value", "MY_VALUE", "what it is for")
    assert after["modified_by_request_id"] == changed.headers["X-Request-ID"]
    assert after["created_by_request_id"] == made.headers["X-Request-ID"]
    assert daemon.request("PUT", f"/api/v1/secrets/{n}", {"description": "other", "value": None}).status == 200
    assert daemon.get(f"/secrets/{n}").json["secret"]["value"] == "another value"

    listed = daemon.get("/secrets").json
    assert listed["total"] == len(listed["secrets"]) and n in [s["name"] for s in listed["secrets"]]
    assert all("value" not in s for s in listed["secrets"])

    gone = daemon.request("DELETE", f"/api/v1/secrets/{n}")
    assert gone.status == 200 and gone.json["name"] == n and set(gone.json) == {"name", "message"}
    for answer in (daemon.get(f"/secrets/{n}"), daemon.request("DELETE", f"/api/v1/secrets/{n}"),
                   daemon.request("PUT", f"/api/v1/secrets/{n}", {"value": "abcdef"})):
        assert (answer.status, answer.json["code"], answer.json["error"]) == (404, "SECRET_NOT_FOUND", "secret not found")


def test_create__name_taken__409_and_the_old_value_stays(daemon):
    n = name()
    assert create(daemon, n).status == 201
    again = create(daemon, n, "another value")
    assert (again.status, again.json["code"]) == (409, "SECRET_ALREADY_EXISTS"), again
    assert daemon.get(f"/secrets/{n}").json["secret"]["value"] == VALUE


def test_two_at_once__one_wins(daemon):
    n, answers = name(), []
    for make in (lambda: create(daemon, n), lambda: daemon.request("DELETE", f"/api/v1/secrets/{n}")):
        answers.clear()
        threads = [threading.Thread(target=lambda: answers.append(make().status)) for _ in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert sorted(answers)[0] in (200, 201) and sorted(answers)[1:] in ([409] * 5, [404] * 5), answers


@pytest.mark.parametrize("fields, word", [
    ({"name": ""}, "name"), ({"name": "a b"}, "name"), ({"name": "x" * 129}, "name"), ({"name": 7}, "name"),
    ({"key_name": "1ABC"}, "key_name"), ({"key_name": ""}, "key_name"), ({"key_name": "A-B"}, "key_name"),
    ({"value": ""}, "value"), ({"value": "v" * 65537}, "value"), ({"value": 42}, "value"),
    ({"description": "d" * 300}, "description"),
])
def test_bad_field__400_names_it_and_never_the_value(daemon, fields, word):
    body = {"name": name(), "key_name": "MY_VALUE", "value": VALUE, **fields}
    answer = daemon.request("POST", "/api/v1/secrets", body)
    assert (answer.status, answer.json["code"]) == (400, "INVALID_REQUEST"), answer
    assert word in answer.json["details"]
    assert "horse" not in answer.body.decode() and "vvvvvv" not in answer.body.decode()


def test_bad_json__nothing_of_it_in_the_answer(daemon):
    answer = daemon.request("POST", "/api/v1/secrets", '{"name": "x", "value": "horse-in-the-log" oops')
    assert answer.status == 400 and b"horse" not in answer.body


def test_largest_value__goes_in_and_comes_out(daemon):
    n, value = name(), "".join(chr(0x20 + i * 7 % 0x5f) for i in range(65536))
    assert create(daemon, n, value).status == 201
    assert daemon.get(f"/secrets/{n}").json["secret"]["value"] == value


def test_value__in_no_table_and_no_log(own_daemon):
    one = own_daemon()
    value = "needle-in-the-haystack-77"
    assert create(one, "sealed", value).status == 201
    assert one.request("PUT", "/api/v1/secrets/sealed", {"value": value + "8"}).status == 200
    dump = one.sql("SELECT name, encode(sealed, 'hex') FROM secrets")
    assert dump and value.encode().hex() not in str(dump)
    assert value not in one.log_path.read_text()
    for row in one.sql("SELECT audit::text FROM audit") + one.sql("SELECT t::text FROM trace_records t"):
        assert value not in str(row)
    actions = one.sql("SELECT action, resource, result FROM audit WHERE action LIKE 'secrets.%' ORDER BY audit_id")
    assert actions == [["secrets.create", "secret/sealed", "ok"], ["secrets.update", "secret/sealed", "ok"]]


# ---- roles ----

@pytest.fixture(scope="module")
def people(daemon):
    return {role: make_user(daemon, role) for role in ("admin", "operator", "developer", "viewer")} | {
        "other": make_user(daemon, "developer")}


@pytest.mark.parametrize("role, made, others, listed", [
    ("admin", 201, 200, True), ("operator", 201, 200, True), ("developer", 201, 404, False), ("viewer", 403, 404, None)])
def test_roles__own_and_others(daemon, people, role, made, others, listed):
    key, n, foreign = people[role].key, name(), name()
    assert create(daemon, foreign, key=people["other"].key).status == 201
    assert create(daemon, n, key=key).status == made
    if made == 201:
        assert daemon.get(f"/secrets/{n}", key=key).json["secret"]["value"] == VALUE
        assert daemon.request("PUT", f"/api/v1/secrets/{n}", {"value": "changed it"}, key=key).status == 200
    assert daemon.get(f"/secrets/{foreign}", key=key).status == others
    assert daemon.request("PUT", f"/api/v1/secrets/{foreign}", {"description": "x"}, key=key).status == others
    if listed is None:
        assert daemon.get("/secrets", key=key).status == 403
    else:
        names = [s["name"] for s in daemon.get("/secrets", key=key).json["secrets"]]
        assert n in names and (foreign in names) == listed
    gone = daemon.request("DELETE", f"/api/v1/secrets/{foreign}", key=key)
    assert gone.status == others
    if others == 404:
        assert gone.json["code"] == "SECRET_NOT_FOUND"
        assert daemon.get(f"/secrets/{foreign}").json["secret"]["value"] == VALUE


def test_database_away__503_and_nothing_half_done(own_daemon):
    one = own_daemon()
    with one.frozen_postgres():
        answer = create(one, "later")
        assert (answer.status, answer.json["code"]) == (503, "DATABASE_ERROR"), answer
    wait_for(lambda: one.get("/secrets").status == 200, "the database to be back")


# ---- the key file ----

def rotate(daemon):
    return subprocess.run([str(c) for c in (BIN / "tailgated", "--rotate-secrets-key", "--dev", "--state-dir", daemon.state,
                                            *daemon.flags)], capture_output=True, text=True, cwd="/", timeout=DEADLINE)


def key_ids(daemon):
    return re.findall(r"^tailgate-secrets-key (\w{16}) \w{64}$", (daemon.state / "secrets.key").read_text(), re.M)


def test_key_file__made_for_its_owner_alone(own_daemon):
    one = own_daemon()
    assert (one.state / "secrets.key").stat().st_mode & 0o777 == 0o600
    assert len(key_ids(one)) == 1


@pytest.mark.parametrize("spoil, word", [
    (lambda f: f.chmod(0o640), "chmod 600"), (lambda f: f.write_text("tailgate-secrets-key 12 34\n"), "must hold"),
    (lambda f: (f.unlink(), f.mkdir()), "must be a file")])
def test_key_file__wrong__refuses_to_start(own_daemon, spoil, word):
    one = own_daemon()
    one.stop()
    spoil(one.state / "secrets.key")
    command = [c for c in one.command() if c != "--dev"] + ["--run-user", "nobody"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 2 and "--secrets-key-file" in done.stderr and word in done.stderr, done


def test_key_file__lost__refuses_to_start_rather_than_make_another(own_daemon):
    one = own_daemon()
    one.stop()
    (one.state / "secrets.key").unlink()
    command = [c for c in one.command() if c != "--dev"] + ["--run-user", "nobody"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 2 and "is missing" in done.stderr, done


def test_rotate__while_the_gateway_runs__all_open_with_the_new_key_alone(own_daemon):
    one = own_daemon()
    for i in range(45):
        assert create(one, f"secret-{i:02}", f"value number {i}").status == 201
    gate = Gate(one)
    running = one.run(f"{gate.wait}; echo value=$MY_VALUE", secrets=["secret-07"])["execution_id"]
    old = key_ids(one)
    done = rotate(one)
    assert done.returncode == 0 and "old keys dropped: 1" in done.stdout, done
    new = key_ids(one)
    assert len(new) == 1 and new != old
    assert one.sql("SELECT DISTINCT key_id FROM secrets UNION SELECT key_id FROM execution_environments") == [new]
    for i in (0, 21, 44):
        assert one.get(f"/secrets/secret-{i:02}").json["secret"]["value"] == f"value number {i}"
    assert create(one, "after", "made later").status == 201
    assert one.sql("SELECT key_id FROM secrets WHERE name = 'after'") == [new]
    one.kill9()
    one.start()
    assert one.get("/secrets/secret-30").json["secret"]["value"] == "value number 30"
    gate.open()
    one.wait_status(running)
    assert one.logs_txt(running) == b"value=***\n"


def test_rotate__stopped_gateway_and_twice__the_same(own_daemon):
    one = own_daemon()
    assert create(one, "kept", "kept through it all").status == 201
    one.stop()
    first, second = rotate(one), rotate(one)
    assert first.returncode == second.returncode == 0, (first, second)
    assert len(key_ids(one)) == 1
    one.start()
    assert one.get("/secrets/kept").json["secret"]["value"] == "kept through it all"


def test_rotate__interrupted__the_next_one_finishes(own_daemon):
    """A second key in the file and rows under both: what a rotation that was killed leaves."""
    one = own_daemon()
    assert create(one, "first", "under the first key").status == 201
    file = one.state / "secrets.key"
    file.write_text(f"tailgate-secrets-key {'ab' * 8} {'cd' * 32}\n" + file.read_text())
    assert create(one, "second", "under the second key").status == 201
    assert len(one.sql("SELECT DISTINCT key_id FROM secrets")) == 2
    done = rotate(one)
    assert done.returncode == 0 and "old keys dropped: 2" in done.stdout, done
    assert one.get("/secrets/first").json["secret"]["value"] == "under the first key"
    assert one.get("/secrets/second").json["secret"]["value"] == "under the second key"


def test_rotate__row_that_no_key_opens__its_key_stays(own_daemon):
    one = own_daemon()
    assert create(one, "good", "good value").status == 201
    assert create(one, "broken", "broken value").status == 201
    one.sql("UPDATE secrets SET sealed = set_byte(sealed, 30, (get_byte(sealed, 30) + 1) % 256) WHERE name = 'broken'")
    done = rotate(one)
    assert done.returncode == 1 and len(key_ids(one)) == 2, done
    assert one.get("/secrets/good").json["secret"]["value"] == "good value"
    assert one.get("/secrets/broken").status == 500


# ---- in a run ----

def test_run__unknown_secret__400_names_it(daemon):
    answer = daemon.request("POST", "/api/v1/run", {"command": "true", "secrets": ["no-such-secret"]})
    assert (answer.status, answer.json["error"]) == (400, "failed to run command"), answer
    assert "no-such-secret" in answer.json["details"]


def test_run__viewer__403(daemon, people):
    answer = daemon.request("POST", "/api/v1/run", {"command": "true", "secrets": ["any"]}, key=people["viewer"].key)
    assert answer.status == 403


def test_run__another_developers_secret__may_be_used(daemon, people):
    n = name()
    assert create(daemon, n, "shared value", key=people["other"].key).status == 201
    answer = daemon.request("POST", "/api/v1/run", {"command": "echo ${#MY_VALUE}", "secrets": [n]}, key=people["developer"].key)
    assert answer.status == 202, answer
    daemon.wait_status(answer.json["execution_id"])
    assert daemon.logs_txt(answer.json["execution_id"]) == b"12\n"


def test_run__short_value__is_not_redacted_and_the_run_says_so(daemon):
    n = name()
    assert create(daemon, n, "abc").status == 201
    run = daemon.finish("echo $MY_VALUE", secrets=[n])
    assert daemon.logs_txt(run["execution_id"]) == b"abc\n"
    assert any("MY_VALUE" in e["message"] and "abc" not in e["message"] for e in daemon.events(run["execution_id"]))


def test_run__secret_of_the_largest_size__is_redacted_also_after_a_restart(own_daemon):
    """What is secret of it is prepared off the loop, each time anew; its lines wait for that."""
    daemon = own_daemon()
    n, value = name(), base64.b64encode(random.Random(7).randbytes(48 << 10)).decode()
    assert len(value) == 64 << 10 and create(daemon, n, value).status == 201
    gate = Gate(daemon)
    run = daemon.run(f'printf "%s\\n" "$MY_VALUE"; {gate.wait}; printf "%s\\n" "$MY_VALUE"', secrets=[n])
    wait_for(lambda: daemon.status(run["execution_id"])["last_seq"] > 0, "the first line")
    daemon.kill9()
    daemon.start()
    gate.open()
    assert daemon.wait_status(run["execution_id"])["status"] == "SUCCEEDED"
    text = daemon.logs_txt(run["execution_id"]).decode()
    assert text.count("\n") == 2 and set(text) == {"*", "\n"}, text[:200]


def test_run__variables_whose_names_say_secret__are_redacted(daemon):
    run = daemon.finish('echo "$DEPLOY_TOKEN $PLAIN"', env={"DEPLOY_TOKEN": "tok-123456", "PLAIN": "plain-123456"})
    assert daemon.logs_txt(run["execution_id"]) == b"*** plain-123456\n"


def forms(value):
    """name: text, as programs print it."""
    raw = value.encode()
    found = {"raw": raw, "json": json.dumps(value).encode()[1:-1], "url": urllib.parse.quote(value, safe="").encode(),
             "form": urllib.parse.quote_plus(value).encode(), "path": urllib.parse.quote(value).encode(),
             "lower": re.sub("%..", lambda m: m[0].lower(), urllib.parse.quote(value, safe="")).encode()}
    for before in (b"", b"x", b"xy"):
        whole = base64.b64encode(before + raw).decode()
        # the characters that the secret alone decides
        first, end = -(-len(before) * 8 // 6), (len(before) + len(raw)) * 8 // 6
        found[f"base64+{len(before)}"] = whole[first:end].encode()
        found[f"base64url+{len(before)}"] = base64.urlsafe_b64encode(before + raw)[first:end]
    return found


def decompress(frame):
    zstd = ctypes.CDLL("libzstd.so.1")
    zstd.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    room = ctypes.create_string_buffer(zstd.ZSTD_getFrameContentSize(frame, ctypes.c_size_t(len(frame))))
    n = zstd.ZSTD_decompress(room, ctypes.c_size_t(len(room)), frame, ctypes.c_size_t(len(frame)))
    assert n == len(room)
    return room.raw


def stored(daemon, execution_id):
    """The raw rows of PostgreSQL, decompressed."""
    rows = daemon.sql(f"SELECT encode(data, 'hex') FROM (SELECT * FROM log_chunks UNION ALL SELECT * FROM log_tail) c "
                      f"JOIN executions USING (execution_key) WHERE execution_id = '{execution_id}' ORDER BY first_seq")
    whole = b""
    for (text,) in rows:
        data = bytes.fromhex(text)
        body = data[14:]
        whole += decompress(body) if data[1] == 1 else body
    assert whole
    return whole


PRINTER = r"""
import os, sys, time, threading
texts = eval(sys.stdin.readline())
lock = threading.Lock()
def out(fd, data, pause):
    for i in range(len(data)):
        os.write(fd, data[i:i + 1])
        if pause:
            time.sleep(0.3)
for t in texts:
    os.write(1, b"<" + t + b">\n")
    os.write(2, b"[" + t + b"]\n")
for fd in (1, 2):
    for t in texts:
        out(fd, t, False)
        out(fd, b"\n", False)
slow = [threading.Thread(target=out, args=(fd, t + b"\n", True)) for fd, t in ((1, texts[0]), (2, texts[1]))]
for s in slow: s.start()
for s in slow: s.join()
print("done")
"""


def test_run_that_prints_its_secrets__in_every_form_byte_by_byte_killed_and_changed__shows_none(own_daemon):
    one = own_daemon()
    value, lines = 'Tr0ub4dor&3/"+ \\x', "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhk\n-----END KEY-----\n"
    assert create(one, "one", value).status == 201
    assert create(one, "two", lines, key_name="MY_LINES").status == 201
    texts = [t for v in (value, "MIIEvQIBADANBgkqhk") for t in forms(v).values()]
    texts += [base64.b64encode(lines.encode()), json.dumps(lines).encode()]
    # The texts themselves are secrets' forms: they travel reversed, so that only the program prints them.
    command = (f"cat > print.py <<'EOF'\n{PRINTER}\nEOF\n"
               "printf '%s\\n' \"$REVERSED\" | rev | /usr/bin/python3 print.py; echo status $?")
    reversed_texts = repr(texts)[::-1]
    assert "\n" not in reversed_texts
    run = one.run(command, secrets=["one", "two"], env={"REVERSED": reversed_texts})
    execution_id = run["execution_id"]
    reader = Reader(one, execution_id)
    while reader.position < 5:
        reader.step()
    wait_for(lambda: one.status(execution_id)["status"] == "RUNNING", "the run")
    one.kill9()
    one.start()
    assert one.request("PUT", "/api/v1/secrets/one", {"value": "quite another value"}).status == 200
    assert one.request("DELETE", "/api/v1/secrets/two").status == 200
    one.kill9()
    one.start()
    status = one.wait_status(execution_id)
    assert status["status"] == "SUCCEEDED", (status, one.logs_txt(execution_id)[-2000:])
    text = one.logs_txt(execution_id)
    assert text.endswith(b"status 0\n") and b"done\n" in text, text[-500:]
    events = json.dumps(one.events(execution_id)).encode()
    frames = json.dumps(Reader(one, execution_id).read_to_end().lines).encode()
    sse = one.get(f"/executions/{execution_id}/logs/stream").body
    ws = one.websocket(run["websocket_url"].replace("http", "ws", 1).replace(
        run["websocket_url"].split("/")[2], one.url.split("/")[2]), subprotocol=None, key=None)
    stream = json.dumps(read_runvoy_stream(ws)[0]).encode()
    rows = stored(one, execution_id)
    for form in (*forms(value).values(), *forms("MIIEvQIBADANBgkqhk").values(), b"-----BEGIN KEY", b"END KEY-----",
                 value.encode()[:12], json.dumps(json.dumps(value))[1:-1].encode()):
        for where, seen in (("logs.txt", text), ("logs", events), ("ws", frames), ("sse", sse), ("stream", stream),
                            ("rows", rows)):
            assert form not in seen, (where, form, seen[max(0, seen.find(form) - 100):][:300])
    assert text.count(b"<***>") >= 8
    wait_for(lambda: not (one.state / "runs" / execution_id).exists(), "the spool to be removed")
    assert one.sql("SELECT count(*) FROM execution_environments") == [["0"]]
    for log in (one.log_path.read_bytes(),):
        assert value.encode() not in log and b"MIIEvQIBADANBgkqhk" not in log
