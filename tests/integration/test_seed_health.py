"""The seed's scenarios for health (server handlers, role and ownership checks, compute, secrets, identity), each
against the daemon."""
import json
import os
import socket
import urllib.parse

import pytest
from containers import Docker, static_runner
from people import make_user
from tailgate import wait_for
from test_health import GHOST, assert_healthy, ghost_row, issues, reconcile, remove_ghost, secret


# ---- server handlers ----

def test_health__basic_endpoint__public(daemon):
    answer = daemon.get("/health", key=None)
    assert answer.status == 200
    assert (answer.json["status"], answer.json["provider"]) == ("ok", "tailgate") and answer.json["version"]


def test_reconcile__endpoint__report_with_a_timestamp(daemon):
    report = reconcile(daemon)
    assert report["status"] == "healthy"
    assert report["report"]["timestamp"].endswith("Z")


@pytest.mark.parametrize("role,status", [("admin", 200), ("operator", 200), ("developer", 403), ("viewer", 403)])
def test_reconcile__each_role(daemon, role, status):
    answer = daemon.request("POST", "/api/v1/health/reconcile", key=make_user(daemon, role).key)
    assert answer.status == status
    if status == 403:
        assert answer.json["code"] == "FORBIDDEN"


@pytest.mark.parametrize("method,key,status", [("POST", None, 401), ("POST", "no-such-key", 401), ("GET", ..., 405)])
def test_reconcile__error_handling(daemon, method, key, status):
    answer = daemon.request(method, "/api/v1/health/reconcile", key=key)
    assert answer.status == status and answer.json["code"] and "report" not in answer.json


@pytest.mark.parametrize("sent", [{"body": ""}, {"body": "", "headers": {"Content-Type": "application/json"}}, {"body": {}}])
def test_reconcile__empty_bodies__fine(daemon, sent):
    assert daemon.request("POST", "/api/v1/health/reconcile", **sent).status == 200


def test_reconcile__no_report_to_be_had__error_and_never_an_empty_report(own_daemon):
    daemon = own_daemon()
    with daemon.frozen_postgres():
        answer = daemon.request("POST", "/api/v1/health/reconcile")
    assert answer.status == 503 and answer.json["code"] == "DATABASE_ERROR" and "report" not in answer.json


def test_reconcile__all_status_types(own_daemon):
    daemon = own_daemon()
    assert reconcile(daemon)["status"] == "healthy"
    (daemon.state / "runs" / GHOST).mkdir()
    report = reconcile(daemon)
    assert report["status"] == "degraded"
    assert {i["severity"] for i in report["report"]["issues"]} == {"warning"}
    secret(daemon, "empty")
    daemon.sql("UPDATE secrets SET sealed = ''")
    report = reconcile(daemon)
    assert report["status"] == "unhealthy" and report["report"]["error_count"] == 1
    assert {i["severity"] for i in report["report"]["issues"]} == {"warning", "error"}
    for issue in report["report"]["issues"]:
        assert set(issue) == {"resource_type", "resource_id", "severity", "message", "action"} and all(issue.values())


def test_reconcile__client_goes_away_meanwhile__the_next_is_answered(daemon):
    url = urllib.parse.urlsplit(daemon.url)
    for _ in range(20):
        with socket.create_connection((url.hostname, url.port)) as client:
            client.sendall(b"POST /api/v1/health/reconcile HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nX-API-Key: "
                           + daemon.key.encode() + b"\r\n\r\n")
    assert_healthy(daemon)


# ---- the schedule ----

def test_scheduled_trigger__finds_and_repairs_without_being_asked(own_daemon):
    daemon = own_daemon("--reconcile-interval", "200ms")
    ghost_row(daemon, "RUNNING")
    assert daemon.wait_status(GHOST)["status"] == "FAILED"
    assert wait_for(lambda: "reconciled" in daemon.log_path.read_text(), "the log to tell")
    assert daemon.sql("SELECT count(*) FROM audit WHERE action = 'health.reconcile'") == [["0"]]


# ---- roles and ownership ----

def test_user_roles__assignment_missing_or_unknown__error_and_may_do_nothing(own_daemon):
    daemon = own_daemon()
    user = make_user(daemon, "operator")
    daemon.sql("ALTER TABLE users DROP CONSTRAINT users_role_check")
    for role, field in [("", "users_with_missing_roles"), ("sultan", "users_with_invalid_roles")]:
        daemon.sql(f"UPDATE users SET role = '{role}' WHERE email = '{user.email}'")
        report = reconcile(daemon)
        assert report["status"] == "unhealthy"
        assert report["report"]["authorizer_status"][field] == [user.email]
        assert [i["resource_id"] for i in issues(report, "user")] == [user.email]
    daemon.sql(f"UPDATE users SET role = 'viewer' WHERE email = '{user.email}'")
    assert_healthy(daemon)


def test_user_roles__every_role_there_is__fine_and_counted(own_daemon):
    daemon = own_daemon()
    for role in ("admin", "operator", "developer", "viewer"):
        make_user(daemon, role)
    report = reconcile(daemon)
    assert report["status"] == "healthy"
    assert report["report"]["authorizer_status"]["total_users_checked"] == 5


def test_ownership__resource_without_owner__reported_until_it_has_one(own_daemon):
    daemon = own_daemon()
    secret(daemon, "nobodys")
    daemon.sql("UPDATE secrets SET created_by = ''")
    report = reconcile(daemon)
    assert report["report"]["authorizer_status"]["resources_with_missing_owners"] == ["secret/nobodys"]
    assert report["status"] == "degraded"
    daemon.sql("UPDATE secrets SET created_by = 'admin@localhost'")
    assert_healthy(daemon)


def test_ownership__of_a_missing_user__orphaned(own_daemon):
    daemon = own_daemon()
    secret(daemon, "left")
    daemon.sql("UPDATE secrets SET created_by = 'left@example.org'")
    ghost_row(daemon, "SUCCEEDED", created_by="left@example.org")
    found = reconcile(daemon)["report"]["authorizer_status"]
    assert set(found["orphaned_ownerships"]) == {"secret/left", f"execution/{GHOST}"}
    remove_ghost(daemon)
    daemon.sql("DELETE FROM secrets")
    assert_healthy(daemon)


def test_ownership__of_a_revoked_user__is_none_that_is_missing(own_daemon):
    daemon = own_daemon()
    user = make_user(daemon, "operator")
    assert daemon.request("POST", "/api/v1/secrets", {"name": "kept", "key_name": "K", "value": "hunter22"},
                          key=user.key).status == 201
    assert daemon.request("POST", "/api/v1/users/revoke", {"email": user.email}).status == 200
    assert reconcile(daemon)["report"]["authorizer_status"]["orphaned_ownerships"] == []


def test_ownership__of_a_missing_resource__removed(own_daemon):
    daemon = own_daemon()
    ghost_row(daemon, "FAILED")
    daemon.sql("INSERT INTO execution_environments VALUES (171, 'k', 'x')")
    report = reconcile(daemon)
    assert report["report"]["secrets_status"]["orphaned_count"] == 1
    assert daemon.sql("SELECT count(*) FROM execution_environments") == [["0"]]
    assert_healthy(daemon)


# ---- secrets, identity ----

def test_secrets__counts_agree(own_daemon):
    daemon = own_daemon()
    for name in ("a", "b", "c"):
        secret(daemon, name)
    daemon.sql("UPDATE secrets SET sealed = '' WHERE name = 'b'")
    counts = reconcile(daemon)["report"]["secrets_status"]
    assert (counts["total_secrets"], counts["verified_count"], counts["missing_count"]) == (3, 2, 1)


def test_secrets__value_set_anew__healthy_again(own_daemon):
    daemon = own_daemon()
    secret(daemon, "a")
    daemon.sql("UPDATE secrets SET sealed = ''")
    assert issues(reconcile(daemon), "secret")
    assert daemon.request("PUT", "/api/v1/secrets/a", {"value": "hunter23"}).status == 200
    assert_healthy(daemon)


def test_identity__all_verified(daemon):
    found = reconcile(daemon)["report"]["identity_status"]
    assert found["default_roles_verified"] is True and found["missing_roles"] == []
    assert found["custom_roles_verified"] == found["custom_roles_total"] > 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_identity__file_that_is_not_ours__named(own_daemon):
    daemon = own_daemon()
    os.chown(daemon.state / "runs", 12345, -1)
    found = reconcile(daemon)["report"]["identity_status"]
    assert found["custom_roles_verified"] == found["custom_roles_total"] - 1
    os.chown(daemon.state / "runs", 0, -1)
    assert_healthy(daemon)


# ---- compute: what images resolve to, and what labels say ----

@pytest.fixture(scope="module")
def docker():
    why_not = Docker.why_not() or (None if static_runner() else "no tailgate-runner is linked statically")
    if why_not:
        pytest.skip(f"ENGINE NOT TESTED: {why_not}")
    one = Docker().start()
    one.import_image("busybox:latest")
    yield one
    one.close()


def docker_daemon(own_daemon, docker, *flags):
    return own_daemon("--engine", "docker", "--docker-host", docker.host, "--docker-network", "none", "--pull", "never",
                      "--runner", static_runner(), *flags)


def register(daemon, **fields):
    answer = daemon.request("POST", "/api/v1/images/register", {"image": "busybox:latest", **fields})
    assert answer.status == 201, answer
    return answer.json["image_id"] if "image_id" in answer.json else max(
        daemon.get("/images").json["images"], key=lambda i: i["created_at"])["image_id"]


def container_of(daemon, docker, image):
    run = daemon.run("sleep 100", image=image)["execution_id"]
    daemon.wait_status(run, ["RUNNING"])
    status, container = docker.api("GET", f"/containers/tailgate-{run}/json")
    assert status == 200
    assert daemon.request("DELETE", f"/api/v1/executions/{run}").status == 200
    daemon.wait_status(run)
    return run, container


@pytest.mark.parametrize("fields,memory,cpus", [
    ({}, 64 << 20, 0),
    ({"cpu": 512}, 64 << 20, 500_000_000),
    ({"memory": 96}, 96 << 20, 0),
    ({"cpu": 2048, "memory": 128, "runtime_platform": "Linux/X86_64", "task_role_name": "role"}, 128 << 20, 2_000_000_000),
])
def test_image__defaults_and_overrides__are_the_containers(own_daemon, docker, fields, memory, cpus):
    daemon = docker_daemon(own_daemon, docker, "--docker-memory", "64MiB")
    image = register(daemon, **fields)
    shown = daemon.get("/images").json["images"]
    for name, value in fields.items():
        assert [i[name] for i in shown if i["image_id"] == image] == [value]
    _, container = container_of(daemon, docker, image)
    assert (container["HostConfig"]["Memory"], container["HostConfig"]["NanoCpus"]) == (memory, cpus)
    assert reconcile(daemon)["status"] == "healthy"


def test_labels__say_execution_owner_and_gateway(own_daemon, docker):
    daemon = docker_daemon(own_daemon, docker)
    run, container = container_of(daemon, docker, register(daemon))
    labels = {name: value for name, value in container["Config"]["Labels"].items() if name.startswith("tailgate.")}
    assert labels == {"tailgate.execution": run, "tailgate.owner": "admin@localhost",
                      "tailgate.gateway": (daemon.state / "gateway.id").read_text().strip()}


@pytest.mark.parametrize("labels", [
    {}, {"tailgate.execution": GHOST}, {"tailgate.gateway": "f" * 32, "tailgate.execution": GHOST}])
def test_labels__of_others__are_left_alone(own_daemon, docker, labels):
    daemon = docker_daemon(own_daemon, docker, "--remove-orphans")
    register(daemon)
    body = {"Image": "busybox:latest", "Cmd": ["sleep", "1000"], "HostConfig": {"NetworkMode": "none"}, "Labels": labels}
    status, answer = docker.api("POST", "/containers/create", json.dumps(body), {"Content-Type": "application/json"})
    assert status == 201, answer
    assert_healthy(daemon)
    assert docker.api("GET", f"/containers/{answer['Id']}/json")[0] == 200
    assert docker.api("DELETE", f"/containers/{answer['Id']}?force=true")[0] == 204
