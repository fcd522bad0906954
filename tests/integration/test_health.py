"""Reconcile and readiness: each fault is seeded on the real daemon, found, and repaired where it can be;
what was found is gone from the next report."""
import json
import os
import signal
import threading

import pytest
from containers import Docker, static_runner
from people import make_user
from tailgate import wait_for

PART = {
    "compute_status": {"total_resources", "verified_count", "recreated_count", "tag_updated_count", "orphaned_count",
                       "orphaned_resources"},
    "secrets_status": {"total_secrets", "verified_count", "tag_updated_count", "missing_count", "orphaned_count",
                       "orphaned_parameters"},
    "identity_status": {"default_roles_verified", "custom_roles_verified", "custom_roles_total", "missing_roles"},
    "authorizer_status": {"users_with_invalid_roles", "users_with_missing_roles", "resources_with_missing_owners",
                          "orphaned_ownerships", "missing_ownerships", "total_users_checked",
                          "total_resources_checked"},
}
GHOST = "0" * 14 + "ab" + "0" * 15 + "1"


def reconcile(daemon, **more):
    answer = daemon.request("POST", "/api/v1/health/reconcile", **more)
    assert answer.status == 200, answer
    return answer.json


def issues(report, kind):
    return [i for i in report["report"]["issues"] if i["resource_type"] == kind]


def assert_healthy(daemon):
    report = reconcile(daemon)
    assert report["status"] == "healthy" and report["report"]["issues"] == [], report


def secret(daemon, name):
    answer = daemon.request("POST", "/api/v1/secrets", {"name": name, "key_name": "KEY", "value": "hunter22"})
    assert answer.status == 201, answer


def ghost_row(daemon, status, created_by="admin@localhost", owner=None):
    gateway = owner if owner is not None else (daemon.state / "gateway.id").read_text().strip()
    daemon.sql("INSERT INTO executions (execution_key, execution_id, status, command, image_id, created_by, created_at, "
               f"owner) VALUES (171, '{GHOST}', '{status}', 'true', 'host', '{created_by}', now() - interval '1 hour', "
               f"'{gateway}')")


def remove_ghost(daemon):
    daemon.sql(f"DELETE FROM executions WHERE execution_id = '{GHOST}'")


# ---- the report ----

def test_reconcile__nothing_wrong__healthy_and_of_runvoys_form(daemon):
    report = reconcile(daemon)
    assert set(report) == {"status", "report"} and report["status"] == "healthy", report
    body = report["report"]
    assert set(body) == {"timestamp", *PART, "issues", "reconciled_count", "error_count"}
    for part, fields in PART.items():
        assert set(body[part]) == fields
    assert (body["issues"], body["reconciled_count"], body["error_count"]) == ([], 0, 0)
    assert body["identity_status"]["default_roles_verified"] is True
    assert body["identity_status"]["custom_roles_verified"] == body["identity_status"]["custom_roles_total"] > 0


def test_reconcile__asked_for__in_the_audit(daemon):
    answer = daemon.request("POST", "/api/v1/health/reconcile")
    rows = daemon.sql("SELECT email, result FROM audit WHERE action = 'health.reconcile' AND request_id = "
                      f"'{answer.headers['X-Request-ID']}'")
    assert [r[1] for r in rows] == ["ok"]


def test_reconcile__two_at_once__one_report(daemon):
    got = []
    threads = [threading.Thread(target=lambda: got.append(reconcile(daemon))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [r["status"] for r in got] == ["healthy"] * 6
    assert daemon.get("/health").status == 200


# ---- compute ----

def test_runner_killed__execution_is_ended(own_daemon):
    daemon = own_daemon()
    run = daemon.run("sleep 100")["execution_id"]
    daemon.wait_status(run, ["RUNNING"])
    assert reconcile(daemon)["report"]["compute_status"]["verified_count"] == 1
    os.kill(int((daemon.state / "runs" / run / "lock").read_text().split()[0]), signal.SIGKILL)
    reconcile(daemon)
    assert daemon.wait_status(run)["reason"] == "runner_lost"
    assert_healthy(daemon)


def test_live_row_without_anything_here__ended(own_daemon):
    daemon = own_daemon()
    ghost_row(daemon, "RUNNING")
    report = reconcile(daemon)
    assert [i["resource_id"] for i in issues(report, "execution")] == [GHOST]
    assert report["status"] == "degraded" and report["report"]["reconciled_count"] == 1
    assert daemon.wait_status(GHOST)["status"] == "FAILED"
    assert_healthy(daemon)


def test_another_gateways_row__left_alone(own_daemon):
    daemon = own_daemon()
    ghost_row(daemon, "RUNNING", owner="f" * 32)
    assert_healthy(daemon)
    assert daemon.status(GHOST)["status"] == "RUNNING"


@pytest.mark.parametrize("remove", [False, True])
def test_run_directory_without_execution__listed_or_removed(own_daemon, remove):
    daemon = own_daemon(*(["--remove-orphans"] if remove else []))
    path = daemon.state / "runs" / GHOST
    path.mkdir()
    report = reconcile(daemon)
    assert report["report"]["compute_status"]["orphaned_resources"] == [f"run_directory/{GHOST}"]
    assert report["status"] == "degraded"
    assert path.exists() != remove
    if not remove:
        path.rmdir()
    assert_healthy(daemon)


def test_run_directory_of_an_ended_execution__cleaned_up(own_daemon):
    daemon = own_daemon()
    ghost_row(daemon, "SUCCEEDED")
    path = daemon.state / "runs" / GHOST
    path.mkdir()
    report = reconcile(daemon)
    assert [i["resource_id"] for i in issues(report, "run_directory")] == [GHOST]
    wait_for(lambda: not path.exists(), "the directory to go")
    assert_healthy(daemon)


# ---- secrets ----

def test_sealed_environment_of_an_ended_execution__removed(own_daemon):
    daemon = own_daemon()
    ghost_row(daemon, "FAILED")
    daemon.sql("INSERT INTO execution_environments VALUES (171, 'k', 'x')")
    report = reconcile(daemon)
    assert report["report"]["secrets_status"]["orphaned_parameters"] == ["environment/171"]
    assert daemon.sql("SELECT count(*) FROM execution_environments") == [["0"]]
    assert_healthy(daemon)


def test_tickets_of_a_revoked_key__removed(own_daemon):
    daemon = own_daemon()
    user = make_user(daemon, "viewer")
    assert daemon.request("POST", "/api/v1/tickets", key=user.key).status == 201
    daemon.sql("UPDATE api_keys SET revoked_at = now() WHERE key_id = (SELECT key_id FROM tickets)")
    assert len(issues(reconcile(daemon), "ticket")) == 1
    assert daemon.sql("SELECT count(*) FROM tickets") == [["0"]]
    assert_healthy(daemon)


def test_idempotency_key_without_execution__removed(own_daemon):
    daemon = own_daemon()
    daemon.sql("ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_execution_key_fkey")
    daemon.sql("INSERT INTO idempotency_keys SELECT user_key, 'lost', 'x', 99 FROM users LIMIT 1")
    assert [i["resource_id"] for i in issues(reconcile(daemon), "idempotency_key")] == ["idempotency-key/lost"]
    assert_healthy(daemon)


SECRETS = [
    ("UPDATE secrets SET sealed = '' WHERE name = 'bad'", "it has no value", 1),
    ("UPDATE secrets SET key_id = 'ffffffffffffffff' WHERE name = 'bad'", "is not in the key file", 0),
    ("UPDATE secrets SET sealed = overlay(sealed PLACING '\\x00000000' FROM 30) WHERE name = 'bad'", "does not open", 0),
    ("UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE name = 'good') WHERE name = 'bad'", "does not open", 0),
]


@pytest.mark.parametrize("statement,message,missing", SECRETS)
def test_secret__does_not_open__error(daemon, statement, message, missing):
    secret(daemon, "good")
    secret(daemon, "bad")
    daemon.sql(statement)
    report = reconcile(daemon)
    found = issues(report, "secret")
    assert [i["resource_id"] for i in found] == ["bad"] and message in found[0]["message"], found
    assert report["status"] == "unhealthy" and report["report"]["error_count"] == 1
    counts = report["report"]["secrets_status"]
    assert (counts["total_secrets"], counts["verified_count"], counts["missing_count"]) == (2, 1, missing)
    daemon.sql("DELETE FROM secrets")
    assert_healthy(daemon)


def test_secrets__more_than_a_page__all_opened(own_daemon):
    daemon = own_daemon()
    for n in range(205):
        secret(daemon, f"s{n:03}")
    assert reconcile(daemon)["report"]["secrets_status"]["verified_count"] == 205


# ---- identity ----

@pytest.mark.parametrize("name,mode,wanted", [("secrets.key", 0o644, 0o600), ("admin.key", 0o666, 0o600),
                                              ("runs", 0o755, 0o700), (".", 0o777, 0o755)])
def test_mode__too_open__repaired(own_daemon, name, mode, wanted):
    daemon = own_daemon()
    path = daemon.state / name
    path.chmod(mode)
    report = reconcile(daemon)
    assert len(report["report"]["issues"]) == 1 and report["report"]["reconciled_count"] == 1, report
    assert path.stat().st_mode & 0o777 == wanted
    assert_healthy(daemon)


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_key_file__anothers__error(own_daemon):
    daemon = own_daemon()
    os.chown(daemon.state / "secrets.key", 12345, 12345)
    report = reconcile(daemon)
    assert report["status"] == "unhealthy" and "12345" in issues(report, "file")[0]["message"]
    os.chown(daemon.state / "secrets.key", 0, 0)
    assert_healthy(daemon)


def test_database_role__lacks_a_right__error(own_daemon):
    first = own_daemon()
    first.sql("CREATE ROLE poor LOGIN SUPERUSER")
    poor = own_daemon("--database-url", first.conninfo() + " options='-c role=poor'")
    first.sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO poor; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO poor; "
              "REVOKE DELETE ON secrets FROM poor; ALTER ROLE poor NOSUPERUSER")
    report = reconcile(poor)
    assert report["status"] == "unhealthy"
    missing = report["report"]["identity_status"]["missing_roles"]
    assert "secrets/DELETE" in missing and "log_chunks/OWNER" in missing, missing
    assert report["report"]["identity_status"]["default_roles_verified"] is False


# ---- authorizer ----

def test_user__unknown_or_no_role__error(own_daemon):
    daemon = own_daemon()
    daemon.sql("ALTER TABLE users DROP CONSTRAINT users_role_check")
    daemon.sql("INSERT INTO users (email, role) VALUES ('king@x.org', 'king'), ('none@x.org', '')")
    report = reconcile(daemon)
    found = report["report"]["authorizer_status"]
    assert found["users_with_invalid_roles"] == ["king@x.org"] and found["users_with_missing_roles"] == ["none@x.org"]
    assert found["total_users_checked"] == 3 and report["status"] == "unhealthy"
    daemon.sql("DELETE FROM users WHERE email LIKE '%@x.org'")
    assert_healthy(daemon)


def test_owner__gone_or_missing__warning(own_daemon):
    daemon = own_daemon()
    ghost_row(daemon, "SUCCEEDED", created_by="gone@x.org")
    secret(daemon, "lost")
    daemon.sql("UPDATE secrets SET created_by = 'gone@x.org'")
    assert daemon.request("POST", "/api/v1/images/register", {"image": "app:1"}).status == 201
    daemon.sql("UPDATE images SET created_by = ''")
    daemon.sql("ALTER TABLE api_keys DROP CONSTRAINT api_keys_user_key_fkey")
    daemon.sql("INSERT INTO api_keys (user_key, hash, prefix) VALUES (999, 'x', 'x')")
    report = reconcile(daemon)
    found = report["report"]["authorizer_status"]
    image = daemon.sql("SELECT image_id FROM images")[0][0]
    key = daemon.sql("SELECT key_id FROM api_keys WHERE user_key = 999")[0][0]
    assert set(found["orphaned_ownerships"]) == {f"execution/{GHOST}", "secret/lost", f"api-key/{key}"}
    assert found["resources_with_missing_owners"] == [f"image/{image}"]
    assert report["status"] == "degraded"
    daemon.sql("DELETE FROM api_keys WHERE user_key = 999; DELETE FROM secrets; DELETE FROM images")
    remove_ghost(daemon)
    assert_healthy(daemon)


# ---- the schedule, timeouts, readiness ----

def test_schedule__reconciles_by_itself(own_daemon):
    daemon = own_daemon("--reconcile-interval", "200ms")
    (daemon.state / "runs").chmod(0o755)
    wait_for(lambda: (daemon.state / "runs").stat().st_mode & 0o777 == 0o700, "the schedule to repair it")


def test_readyz__verbose__lines(daemon):
    answer = daemon.request("GET", "/readyz?verbose", key=None)
    assert answer.status == 200
    assert answer.body.decode().splitlines() == ["[+]database ok", "[+]orchestrator ok", "[+]engine ok", "[+]writer ok",
                                                 "ready"]
    assert daemon.request("GET", "/readyz", key=None).json == {"status": "ready"}


def test_readyz__database_away__says_so(own_daemon):
    daemon = own_daemon()
    daemon.pg_ctl("stop", "-m", "immediate")
    # The server starts its private cluster again, so this is to be seen for a while only.
    answer = wait_for(lambda: (a := daemon.request("GET", "/readyz?verbose", key=None)).status == 503 and a, "503",
                      pause=0.005)
    lines = answer.body.decode().splitlines()
    assert any(line.startswith(("[-]database failed: ", "[-]writer failed: ")) for line in lines), lines
    assert lines[-1] == "not ready"
    wait_for(lambda: daemon.request("GET", "/readyz?verbose", key=None).status == 200, "ready again")


# ---- the CLI ----

def test_cli__health_and_reconcile__text_json_and_codes(own_daemon):
    daemon = own_daemon()
    done = daemon.cli("health")
    assert done.returncode == 0 and b"database" in done.stdout and b"ready" in done.stdout, done
    assert json.loads(daemon.cli("health", "-o", "json").stdout)["ready"] is True
    done = daemon.cli("health", "reconcile")
    assert done.returncode == 0 and b"healthy" in done.stdout, done
    (daemon.state / "runs" / GHOST).mkdir()
    done = daemon.cli("health", "reconcile")
    assert done.returncode == 7 and b"run_directory" in done.stdout, done
    done = daemon.cli("health", "reconcile", "-o", "json")
    assert done.returncode == 7 and json.loads(done.stdout)["status"] == "degraded"
    secret(daemon, "bad")
    daemon.sql("UPDATE secrets SET sealed = ''")
    assert daemon.cli("health", "reconcile").returncode == 8


# ---- containers ----

@pytest.fixture(scope="module")
def docker():
    why_not = Docker.why_not() or (None if static_runner() else "no tailgate-runner is linked statically")
    if why_not:
        pytest.skip(f"ENGINE NOT TESTED: {why_not}")
    one = Docker().start()
    one.import_image("busybox:latest")
    yield one
    one.close()


def on_docker(own_daemon, docker, *flags):
    daemon = own_daemon("--engine", "docker", "--docker-host", docker.host, "--docker-network", "none",
                        "--runner", static_runner(), *flags)
    assert daemon.request("POST", "/api/v1/images/register", {"image": "busybox:latest"}).status == 201
    return daemon


def orphan_container(daemon, docker):
    body = {"Image": "busybox:latest", "Cmd": ["sleep", "1000"], "HostConfig": {"NetworkMode": "none"},
            "Labels": {"tailgate.gateway": (daemon.state / "gateway.id").read_text().strip(),
                       "tailgate.execution": GHOST}}
    status, answer = docker.api("POST", f"/containers/create?name=tailgate-{GHOST}", json.dumps(body),
                                {"Content-Type": "application/json"})
    assert status == 201, answer
    return answer["Id"]


@pytest.mark.parametrize("remove", [False, True])
def test_docker__orphaned_container__listed_or_removed(own_daemon, docker, remove):
    daemon = on_docker(own_daemon, docker, "--pull", "never", *(["--remove-orphans"] if remove else []))
    assert_healthy(daemon)
    orphan = orphan_container(daemon, docker)
    report = reconcile(daemon)
    assert report["report"]["compute_status"]["orphaned_resources"] == [f"container/{GHOST}"]
    if remove:
        wait_for(lambda: docker.api("GET", f"/containers/{orphan}/json")[0] == 404, "the container to go")
    else:
        assert docker.api("DELETE", f"/containers/{orphan}?force=true")[0] == 204
    assert_healthy(daemon)


def test_docker__container_removed_behind_its_back__execution_is_ended(own_daemon, docker):
    daemon = on_docker(own_daemon, docker, "--pull", "never")
    run = daemon.run("sleep 100", image="busybox:latest")["execution_id"]
    daemon.wait_status(run, ["RUNNING"])
    assert reconcile(daemon)["report"]["compute_status"]["orphaned_resources"] == []
    assert docker.api("DELETE", f"/containers/tailgate-{run}?force=true")[0] == 204
    reconcile(daemon)
    assert daemon.wait_status(run)["reason"] == "container_lost"
    assert_healthy(daemon)


@pytest.mark.parametrize("pull", ["never", "missing"])
def test_docker__image_neither_there_nor_to_be_pulled__warning(own_daemon, docker, pull):
    daemon = on_docker(own_daemon, docker, "--pull", pull)
    assert daemon.request("POST", "/api/v1/images/register", {"image": "127.0.0.1:1/nowhere:1"}).status == 201
    report = reconcile(daemon)
    assert report["status"] == "degraded"
    assert len(issues(report, "image")) == 1 and issues(report, "image")[0]["resource_id"].startswith("nowhere:1-"), report
    assert daemon.request("DELETE", f"/api/v1/images/{issues(report, 'image')[0]['resource_id']}").status == 200
    assert_healthy(daemon)


def test_docker__daemon_away_or_mute__error_in_time(own_daemon):
    if Docker.why_not():
        pytest.skip(f"ENGINE NOT TESTED: {Docker.why_not()}")
    engine = Docker().start()
    try:
        engine.import_image("busybox:latest")
        daemon = on_docker(own_daemon, engine, "--health-check-timeout", "3s")
        os.kill(engine.process.pid, signal.SIGSTOP)
        report = reconcile(daemon)
        assert "no answer within" in issues(report, "engine")[0]["message"]
        assert "[-]engine failed" in daemon.request("GET", "/readyz?verbose", key=None).body.decode()
        os.kill(engine.process.pid, signal.SIGCONT)
        assert_healthy(daemon)
        engine.stop()
        report = reconcile(daemon)
        assert report["status"] == "unhealthy" and issues(report, "engine")
        assert daemon.request("GET", "/readyz?verbose", key=None).status == 503
        assert daemon.request("GET", "/readyz", key=None).status == 200
        engine.start()
        assert_healthy(daemon)
    finally:
        engine.close()
