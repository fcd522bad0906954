"""Images removed while a run of them begins: there is never a run whose image is gone."""
import concurrent.futures
import contextlib
import subprocess

import pytest
from containers import Docker, static_runner
from tailgate import DEADLINE, PG_BIN, Daemon, wait_for


def register(daemon):
    answer = daemon.request("POST", "/api/v1/images/register", {"image": "busybox:latest"})
    assert answer.status == 201, answer
    return next(i["image_id"] for i in daemon.get("/images").json["images"] if i["image"] == "busybox:latest")


@pytest.fixture(scope="module")
def on_docker():
    why_not = Docker.why_not() or (None if static_runner() else "no tailgate-runner is linked statically")
    if why_not:
        pytest.skip(f"ENGINE NOT TESTED: {why_not}")
    engine = Docker().start()
    engine.import_image("busybox:latest")
    one = Daemon("--engine", "docker", "--docker-host", engine.host, "--docker-network", "none", "--pull", "never",
                 "--runner", static_runner())
    try:
        yield one.start()
    finally:
        one.close()
        engine.close()


@contextlib.contextmanager
def transaction(daemon, statement):
    """Another session in the middle of a transaction, which is committed at the end."""
    psql = subprocess.Popen([str(PG_BIN / "psql"), daemon.conninfo(), "-qAtX", "-v", "ON_ERROR_STOP=1"], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True, cwd="/")
    try:
        psql.stdin.write(f"BEGIN; {statement}; SELECT 'there';\n")
        psql.stdin.flush()
        while (line := psql.stdout.readline()) and line != "there\n":
            pass
        assert line, "psql failed"
        yield
        psql.stdin.write("COMMIT;\n")
    finally:
        psql.stdin.close()
        assert psql.wait(DEADLINE) == 0
        psql.stdout.close()


def waits_for_the_lock(daemon):
    return daemon.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 1768776039") == [["1"]]


def test_delete__commits_while_a_run_begins__run_404(on_docker):
    daemon = on_docker
    register(daemon)
    before = daemon.sql("SELECT count(*) FROM executions")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with transaction(daemon, "SELECT pg_advisory_xact_lock(1768776039); DELETE FROM images"):
            asked = pool.submit(daemon.request, "POST", "/api/v1/run", {"command": "true", "image": "busybox:latest"})
            wait_for(lambda: waits_for_the_lock(daemon), "the run to wait")
        answer = asked.result()
    assert answer.status == 404 and "was removed meanwhile" in answer.json["details"], answer
    assert daemon.sql("SELECT count(*) FROM executions") == before


def test_delete__asked_while_a_run_begins__409(on_docker):
    daemon = on_docker
    image = register(daemon)
    insert = ("SELECT pg_advisory_xact_lock_shared(1768776039); INSERT INTO executions (execution_key, execution_id, status, "
              "command, image_id, created_by, created_at, owner) VALUES (171, '" + "0" * 14 + "ab" + "0" * 16 + "', "
              f"'RUNNING', 'true', '{image}', 'admin@localhost', now(), 'another')")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with transaction(daemon, insert):
            asked = pool.submit(daemon.request, "DELETE", f"/api/v1/images/{image}")
            wait_for(lambda: waits_for_the_lock(daemon), "the removal to wait")
        assert asked.result().status == 409
    daemon.sql("DELETE FROM executions WHERE execution_key = 171")
    assert daemon.request("DELETE", f"/api/v1/images/{image}").status == 200


def test_delete__and_runs_at_once__no_run_without_its_image(on_docker):
    daemon = on_docker
    for _ in range(5):
        image = register(daemon)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            runs = [pool.submit(daemon.request, "POST", "/api/v1/run", {"command": "sleep 0.2", "image": image})
                    for _ in range(3)]
            removed = pool.submit(daemon.request, "DELETE", f"/api/v1/images/{image}").result()
        statuses = [r.result().status for r in runs]
        assert set(statuses) <= {202, 404}, statuses
        assert removed.status == 200 or 202 in statuses
        for answer in (r.result() for r in runs):
            if answer.status == 202:
                end = daemon.wait_status(answer.json["execution_id"])
                assert end["status"] == "SUCCEEDED", (end, daemon.events(end["execution_id"]))
        if removed.status != 200:
            assert daemon.request("DELETE", f"/api/v1/images/{image}").status == 200
