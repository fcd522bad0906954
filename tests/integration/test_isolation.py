"""A command must not reach the server's own files, whoever the server runs as."""
import os
import subprocess

import pytest
from tailgate import Reader, wait_for

USER = "tailgate-test"


@pytest.fixture(scope="module")
def ordinary_user():
    if os.getuid() != 0:
        return None
    if subprocess.run(["id", USER], capture_output=True).returncode != 0:
        subprocess.run(["useradd", "--system", "--create-home", "--shell", "/bin/sh", USER], check=True)
    return USER


@pytest.fixture(params=["root", "ordinary"])
def server(request, own_daemon, ordinary_user):
    if request.param == "root":
        if os.getuid() != 0:
            pytest.skip("needs root")
        return own_daemon()
    return own_daemon(user=ordinary_user)


def output(daemon, command):
    end = daemon.finish(command + " 2>&1")
    return end, daemon.logs_txt(end["execution_id"]).decode(errors="replace")


def test_command__never_root_and_never_reads_the_servers_files(server):
    victim = server.run("echo secret-of-another-run; sleep 300")["execution_id"]
    Reader(server, victim).read_until(1)
    state = server.state
    targets = [state / "admin.key", state / "runs" / victim / "spool", state / "secrets.key",
               state / "pg/PG_VERSION", state / "pg.password"]
    # What held the run's variables is gone once the runner has it.
    assert not (state / "runs" / victim / "spec").exists()
    for target in targets:
        if target.name == "pg.password" and not target.exists():
            continue
        assert target.exists(), target
        end, text = output(server, f"cat {target}")
        assert end["exit_code"] != 0 and server.key not in text and "secret-of" not in text, (target, text)
    for place in (state / "runs", state / "pg", state / "workspaces"):
        end, text = output(server, f"ls {place}")
        assert end["exit_code"] != 0, text
    end, text = output(server, f"echo x > {state}/admin.key; echo x > {state}/runs/{victim}/ack; rm -rf {state}/runs/{victim}")
    assert (state / "runs" / victim / "spool").exists() and (state / "admin.key").read_text().strip() == server.key
    end, text = output(server, "id -u")
    assert text.strip() != "0"


def test_command__cannot_enter_another_runs_workspace(server):
    victim = server.run("echo mine >file; echo ready; sleep 300", env={"DEPLOY_TOKEN": "victim-token-123"})["execution_id"]
    Reader(server, victim).read_until(1)
    place = server.state / "workspaces" / victim
    assert "victim-token-123" in (place / ".env").read_text()
    end, text = output(server, f"ls -a {place}; cat {place}/.env {place}/file; echo changed >{place}/file; rm -f {place}/.env; echo end")
    assert "end\n" in text and "victim-token" not in text and "mine" not in text, text
    assert (place / "file").read_text() == "mine\n" and (place / ".env").exists()


def test_command__cannot_enter_the_private_cluster(server):
    if not (server.state / "pg/postmaster.pid").exists():
        pytest.skip("no private cluster")
    lines = (server.state / "pg/postmaster.pid").read_text().splitlines()
    for user in ("postgres", "tailgate", "$(id -un)"):
        end, text = output(server, f"psql -w -h {lines[4]} -p {lines[3]} -U {user} -d postgres -c \"select 'let' || 'in'\"")
        assert end["exit_code"] != 0 and "letin" not in text, text


def test_command__cannot_signal_or_trace_others(server):
    victim = server.run("sleep 300", env={"HIDDEN": "do-not-leak"})["execution_id"]
    server.wait_status(victim, ("RUNNING",))
    runner = int((server.state / "runs" / victim / "lock").read_text().split()[0])
    child = wait_for(lambda: subprocess.run(["pgrep", "-P", str(runner)], capture_output=True, text=True).stdout.split(), "the child")[0]
    for pid in (server.pid(), runner):
        end, _ = output(server, f"kill -9 {pid}")
        assert end["exit_code"] != 0
    end, text = output(server, f"tr '\\0' '\\n' < /proc/{child}/environ; tr '\\0' '\\n' < /proc/{runner}/environ")
    assert "do-not-leak" not in text
    assert server.status(victim)["status"] == "RUNNING"


def test_files__modes(server):
    assert (server.state / "admin.key").stat().st_mode & 0o777 == 0o600
    assert (server.state / "runs").stat().st_mode & 0o777 == 0o700
    i = server.run("sleep 30")["execution_id"]
    server.wait_status(i, ("RUNNING",))
    for name in ("spool", "ack", "lock"):
        assert (server.state / "runs" / i / name).stat().st_mode & 0o777 == 0o600


def test_ordinary_user__works_end_to_end(own_daemon, ordinary_user):
    one = own_daemon(user=ordinary_user)
    end = one.finish("echo hello; touch $HOME/x; exit 5")
    assert end["exit_code"] == 5 and one.logs_txt(end["execution_id"]) == b"hello\n"
    i = one.run("for n in $(seq 100); do echo line $n; sleep 0.02; done")["execution_id"]
    Reader(one, i).read_until(5)
    one.kill9()
    one.start()
    assert one.wait_status(i)["status"] == "SUCCEEDED"
    assert one.logs_txt(i).count(b"\n") == 100
