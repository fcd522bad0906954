"""A run's environment: .env, what is on disk while it runs and afterwards, restarts, changed secrets."""

from tailgate import DEADLINE, Reader, wait_for


def secret(daemon, name, key_name, value):
    answer = daemon.request("POST", "/api/v1/secrets", {"name": name, "key_name": key_name, "value": value})
    assert answer.status == 201, answer


def on_disk(daemon, needle):
    """Files of the state directory (PostgreSQL's and key files aside) that hold these bytes."""
    found = []
    for path in daemon.state.rglob("*"):
        if "pg" in path.relative_to(daemon.state).parts[:1] or not path.is_file():
            continue
        try:
            if needle in path.read_bytes():
                found.append(str(path.relative_to(daemon.state)))
        except FileNotFoundError:
            pass
    return found


VALUES = {"SPACES": " two  words ", "QUOTES": "it's \"so\" `id` $HOME \\", "LINES": "one\ntwo\n\nfour", "EMPTY": "",
          "UTF8": "ä€𝄞", "SYMBOLS": "*?[a] ~ #x; & | > < ()!"}


def test_env_file__any_value__read_back_by_a_shell(daemon):
    command = "env -i sh -c 'set -a; . ./.env; for n in %s; do printf \"%%s\\0\" \"$(printenv $n; echo .)\"; done'; stat -c %%a .env" % " ".join(VALUES)
    end = daemon.finish(command, env=VALUES)
    parts = daemon.logs_txt(end["execution_id"]).split(b"\0")
    assert [p.decode() for p in parts[:-1]] == [v + "\n." for v in VALUES.values()]
    assert parts[-1] == b"600\n"


def test_env_file__no_variables__none(daemon):
    end = daemon.finish("ls -A")
    assert daemon.logs_txt(end["execution_id"]) == b".tmp\n"


def test_secrets__in_the_environment__not_in_the_env_file(daemon):
    secret(daemon, "db", "DB_URL", "postgres://hidden-db")
    secret(daemon, "api", "API_KEY", "hidden-api")
    end = daemon.finish("echo ${#DB_URL} $API_KEY; cat .env; grep -c hidden .env", secrets=["db", "api"],
                        env={"API_KEY": "own-value", "PLAIN": "p"})
    text = daemon.logs_txt(end["execution_id"])
    assert text == b"20 ***\nAPI_KEY=***\nPLAIN=p\n0\n", text  # the request's own beats the secret


def test_unknown_secret__400_and_forbidden_for_nobody(daemon):
    answer = daemon.request("POST", "/api/v1/run", {"command": "true", "secrets": ["no-such"]})
    assert answer.status == 400 and "no-such" in answer.json["details"], answer


def test_short_values__the_log_names_them(daemon):
    end = daemon.finish("echo $MY_TOKEN", env={"MY_TOKEN": "abc"})
    lines = Reader(daemon, end["execution_id"]).read_to_end().lines
    assert [line for line in lines if line[1] == "s" and "MY_TOKEN" in line[2] and "abc" not in line[2]]
    assert daemon.logs_txt(end["execution_id"]) == b"abc\n"


def test_on_disk__environment_goes_once_the_runner_has_it(own_daemon):
    daemon = own_daemon()
    secret(daemon, "s", "THE_SECRET", "needle-in-the-haystack")
    i = daemon.run("echo up; sleep 600", secrets=["s"])["execution_id"]
    Reader(daemon, i).read_until(1)
    run_dir = daemon.state / "runs" / i
    assert run_dir.stat().st_mode & 0o777 == 0o700
    assert not (run_dir / "spec").exists()
    for name in ("spool", "ack", "lock"):
        assert (run_dir / name).stat().st_mode & 0o777 == 0o600, name
    assert on_disk(daemon, b"needle-in-the-haystack") == []
    assert daemon.sql("SELECT count(*) FROM execution_environments") == [["1"]]
    assert daemon.sql("SELECT count(*) FROM execution_environments WHERE position('needle'::bytea IN sealed) > 0") == [["0"]]
    daemon.request("DELETE", f"/api/v1/executions/{i}")
    daemon.wait_status(i)
    wait_for(lambda: not run_dir.exists(), "the run directory to go")
    assert daemon.sql("SELECT count(*) FROM execution_environments") == [["0"]]


def test_secret_changed_deleted_and_server_killed__run_keeps_what_it_had(own_daemon):
    daemon = own_daemon()
    secret(daemon, "s", "THE_SECRET", "first-value-of-it")
    i = daemon.run("echo up; until [ -e go ]; do sleep 0.05; done; echo $THE_SECRET second-value-of-it",
                   secrets=["s"])["execution_id"]
    Reader(daemon, i).read_until(1)
    assert daemon.request("PUT", "/api/v1/secrets/s", {"value": "second-value-of-it"}).status == 200
    daemon.kill9()
    daemon.start()
    assert daemon.request("DELETE", "/api/v1/secrets/s").status == 200
    (daemon.state / "workspaces" / i / "go").touch()
    daemon.wait_status(i)
    assert daemon.logs_txt(i) == b"up\n*** second-value-of-it\n"


def test_killed_before_the_start__started_with_its_environment(own_daemon):
    """The row is committed, nothing of the run exists yet: the next start begins it."""
    daemon = own_daemon()
    i = daemon.run("echo $MARK; echo up; sleep 600", env={"MARK": "kept"})["execution_id"]
    Reader(daemon, i).read_until(2)
    sealed = daemon.sql("SELECT key_id, encode(sealed, 'hex') FROM execution_environments")[0]
    daemon.request("DELETE", f"/api/v1/executions/{i}")
    daemon.wait_status(i)
    wait_for(lambda: not (daemon.state / "runs" / i).exists(), "the run directory to go")
    daemon.stop()
    daemon.pg_ctl("start", "-o", f"-k {daemon.state}/pg/run") if not (daemon.state / "pg/postmaster.pid").exists() else None
    daemon.sql("UPDATE executions SET status = 'STARTING', version = 1, exit_code = NULL, completed_at = NULL, "
               f"last_seq = 0, spool_offset = 0, created_at = now() WHERE execution_id = '{i}'")
    daemon.sql("DELETE FROM execution_events")
    daemon.sql("DELETE FROM log_tail; DELETE FROM log_chunks")
    daemon.sql(f"INSERT INTO execution_environments SELECT execution_key, '{sealed[0]}', decode('{sealed[1]}', 'hex') FROM executions")
    daemon.pg_ctl("stop")
    daemon.start()
    reader = Reader(daemon, i).read_until(2)
    assert [line[2] for line in reader.lines] == ["kept", "up"]
    daemon.request("DELETE", f"/api/v1/executions/{i}")


def test_key_lost__run_is_stopped_not_shown(own_daemon):
    """Nobody knows any more what is secret: nothing further is stored."""
    daemon = own_daemon()
    secret(daemon, "s", "THE_SECRET", "must-not-be-shown")
    i = daemon.run("echo up; until [ -e go ]; do sleep 0.05; done; echo $THE_SECRET; sleep 600", secrets=["s"])["execution_id"]
    Reader(daemon, i).read_until(1)
    daemon.kill9()
    (daemon.state / "workspaces" / i / "go").touch()
    key_files = [p for p in daemon.state.glob("*key*") if "tailgate-secrets-key" in p.read_text(errors="replace")]
    assert key_files
    for path in key_files:
        path.unlink()
    daemon.start()
    end = daemon.wait_status(i)
    assert (end["status"], end["reason"]) == ("FAILED", "environment_lost"), end
    assert b"must-not-be-shown" not in daemon.logs_txt(i)


def test_cli__prefixed_variables_become_the_runs(daemon):
    environment = {**daemon.cli_env(), "RUNVOY_USER_A": "from runvoy", "TAILGATE_USER_B": "from tailgate",
                   "RUNVOY_USER_C": "lost", "TAILGATE_USER_C": "tailgate's wins", "TAILGATE_USER_D": "no"}
    import subprocess
    from tailgate import BIN
    done = subprocess.run([str(BIN / "tailgate"), "run", "-e", "D=yes", "--", "echo \"$A|$B|$C|$D\"; grep -c . .env"],
                          env=environment, capture_output=True, timeout=DEADLINE)
    assert done.stdout == b"from runvoy|from tailgate|tailgate's wins|yes\n4\n", done


def test_cli__idempotency_key_secrets_and_git_flags(daemon):
    first = daemon.cli("run", "-d", "--idempotency-key", "cli-1", "--", "true")
    again = daemon.cli("run", "-d", "--idempotency-key", "cli-1", "--", "true")
    assert first.returncode == 0 and first.stdout == again.stdout
    other = daemon.cli("run", "-d", "--idempotency-key", "cli-1", "--", "false")
    assert other.returncode == 125 and b"idempotency key" in other.stderr
    refused = daemon.cli("run", "--git-repo", "file:///etc", "--", "true")
    assert refused.returncode == 125 and b"git_repo" in refused.stderr
    unknown = daemon.cli("run", "--secret", "nobody-has-it", "--", "true")
    assert unknown.returncode == 125 and b"nobody-has-it" in unknown.stderr
