"""The client's commands for a team, run as its users do: against the real daemon, in pipes and on terminals."""
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest
from tailgate import BIN, DEADLINE, wait_for


def cli(daemon, *arguments, stdin="", env=None):
    return subprocess.run([str(BIN / "tailgate"), *arguments], env={**daemon.cli_env(), **(env or {})}, input=stdin,
                          capture_output=True, text=True, timeout=DEADLINE)


def ok(daemon, *arguments, **more):
    result = cli(daemon, *arguments, **more)
    assert result.returncode == 0, (arguments, result)
    return result


def objects(daemon, *arguments):
    return [json.loads(line) for line in ok(daemon, *arguments, "-o", "json").stdout.splitlines()]


def on_terminal(daemon, *arguments, columns=80, answers=(), env=None):
    """Runs on a terminal of that width; types each answer when its prompt stands there. (output, exit code)"""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update({**daemon.cli_env(), **(env or {})})
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.execv(str(BIN / "tailgate"), ["tailgate", *arguments])
    output, left, end = b"", list(answers), time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if select.select([fd], [], [], 1)[0]:
            try:
                piece = os.read(fd, 65536)
            except OSError:
                break
            if not piece:
                break
            output += piece
        if left and left[0][0].encode() in output:
            os.write(fd, left.pop(0)[1].encode())
    os.close(fd)
    return output.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_new_user__created_claims_works_and_is_revoked(daemon):
    made = ok(daemon, "users", "create", "ann@example.org", "--role", "developer")
    token = re.search(r"claim token +(\S+)", made.stdout)[1]
    home = {"XDG_CONFIG_HOME": str(daemon.dir / "ann"), "TAILGATE_API_KEY": "", "TAILGATE_ENDPOINT": ""}
    claimed = ok(daemon, "claim", "--endpoint", daemon.url, token, env=home)
    config = daemon.dir / "ann/tailgate/config.yaml"
    assert claimed.stdout == "" and config.stat().st_mode & 0o777 == 0o600
    assert ok(daemon, "run", "--", "echo mine", env=home).stdout == "mine\n"
    assert cli(daemon, "users", "list", env=home).returncode == 4
    again = cli(daemon, "claim", "--endpoint", daemon.url, "--yes", token, env=home)
    assert again.returncode == 6 and "already" in again.stderr
    ok(daemon, "users", "revoke", "ann@example.org")
    revoked = cli(daemon, "list", env=home)
    assert revoked.returncode == 4 and "revoked" in revoked.stderr
    (ann,) = [u for u in objects(daemon, "users", "list") if u["email"] == "ann@example.org"]
    assert ann["revoked"] and ann["role"] == "developer"


def test_claim__key_there__asked_before_the_token_is_used(daemon):
    made = objects(daemon, "users", "create", "bob@example.org")[0]
    home = {"XDG_CONFIG_HOME": str(daemon.dir / "bob"), "TAILGATE_API_KEY": ""}
    ok(daemon, "configure", "--endpoint", daemon.url, "--api-key-file", "-", stdin=daemon.key, env=home)
    assert cli(daemon, "claim", made["claim_token"], env=home).returncode == 2
    output, code = on_terminal(daemon, "claim", made["claim_token"], env=home, answers=[("[y/N]", "n\n")])
    assert code == 2 and "still good" in output
    output, code = on_terminal(daemon, "claim", made["claim_token"], env=home, answers=[("[y/N]", "y\n")])
    assert code == 0 and "bob@example.org" in output


def test_keys__made_used_listed_revoked(daemon):
    key = ok(daemon, "keys", "create", "--description", "for tests").stdout.strip()
    assert ok(daemon, "list", env={"TAILGATE_API_KEY": key})
    (row,) = [k for k in objects(daemon, "keys", "list") if k["description"] == "for tests"]
    assert row["prefix"] == key[:8] and key not in json.dumps(row)
    ok(daemon, "keys", "revoke", str(row["id"]))
    assert cli(daemon, "list", env={"TAILGATE_API_KEY": key}).returncode == 4
    assert cli(daemon, "keys", "revoke", "999999").returncode == 3


def test_secrets__whole_life(daemon):
    ok(daemon, "secrets", "create", "--key-name", "DB_PASSWORD", "--description", "the db", "db", stdin="hunter22\n")
    assert ok(daemon, "secrets", "get", "--value", "db").stdout == "hunter22\n"
    assert "hunter22" not in ok(daemon, "secrets", "list").stdout + ok(daemon, "secrets", "list", "-o", "json").stdout
    assert cli(daemon, "secrets", "create", "--key-name", "X", "db", stdin="x").returncode == 6
    ok(daemon, "secrets", "update", "--value", "db", stdin="line 1\nline 2\n")
    assert objects(daemon, "secrets", "get", "db")[0]["value"] == "line 1\nline 2"
    output, code = on_terminal(daemon, "secrets", "update", "--value", "db", answers=[("not shown", "typed-value\n")])
    assert code == 0 and "typed-value" not in output
    assert ok(daemon, "secrets", "get", "--value", "db").stdout == "typed-value\n"
    ok(daemon, "secrets", "delete", "db")
    assert cli(daemon, "secrets", "get", "db").returncode == 3


def test_images__registered_shown_removed(daemon):
    ok(daemon, "images", "register", "ghcr.io/team/app:1", "--cpu", "512", "--default")
    (image,) = [i for i in objects(daemon, "images", "list") if i["image"] == "ghcr.io/team/app:1"]
    assert image["is_default"] and image["cpu"] == 512
    assert image["image_id"] in ok(daemon, "images", "show", "team/app:1").stdout
    by_name = cli(daemon, "images", "unregister", "ghcr.io/team/app:1")
    assert by_name.returncode == 6 and image["image_id"] in by_name.stderr
    ok(daemon, "images", "unregister", image["image_id"])
    assert cli(daemon, "images", "show", image["image_id"]).returncode == 3


def test_audit_and_trace__tell_what_was_done(daemon):
    ok(daemon, "images", "register", "traced:1")
    entry = objects(daemon, "audit", "--action", "images.create", "-n", "1")[0]
    assert entry["resource"].startswith("image/traced:1-")
    assert "images.create" in ok(daemon, "audit", "--since", "1h").stdout
    assert len(ok(daemon, "audit", "--until", "2000-01-01T00:00:00Z").stdout.splitlines()) == 1

    def traced():
        out = ok(daemon, "trace", entry["request_id"]).stdout
        return "path=/api/v1/images/register" in out and out

    assert "images  traced:1-" in wait_for(traced, "the request's records")
    assert objects(daemon, "trace", "no-such-request") == [{"logs": None, "related_resources": {}}]


BAD = [
    ("users",), ("users", "create"), ("users", "create", "nobody"), ("users", "create", "a@b.org", "--role", "king"),
    ("secrets", "create", "x"), ("secrets", "create", "--key-name", "1X", "x"), ("secrets", "update", "x"),
    ("images", "register", "Not A Reference"), ("audit", "--since", "yesterday"), ("audit", "-n", "0"), ("trace",),
    ("keys", "create", "--description", "x" * 300), ("claim",),
]


@pytest.mark.parametrize("words", BAD)
def test_wrong_usage__exit_2_without_a_call(daemon, words):
    result = cli(daemon, *words, stdin="value", env={"TAILGATE_ENDPOINT": "http://127.0.0.1:1"})
    assert result.returncode == 2 and result.stdout == "" and result.stderr.startswith("tailgate: "), result
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("columns", [60, 80, 100, 140, 200])
def test_tables__fit_the_terminal(daemon, columns):
    ok(daemon, "secrets", "create", "--key-name", f"LONG_{columns}", "--description", "x" * 200, f"long-{columns}",
       stdin="value-1")
    ok(daemon, "run", "--", "echo a rather long command that does not fit a narrow terminal at all, not even close")
    for words in (("list",), ("users", "list"), ("keys", "list"), ("secrets", "list"), ("images", "list"), ("audit",)):
        output, code = on_terminal(daemon, *words, columns=columns)
        assert code == 0, output
        lines = output.replace("\r", "").splitlines()
        assert len(lines) >= 2
        for line in lines:
            assert len(line) <= columns, (words, line)
