"""Images of registries that want credentials: pulled with the secret that --registry-secrets names."""
import pytest
from containers import Docker, Podman, static_runner
from people import make_user
from registry import Registry
from tailgate import Daemon, Reader
from test_health import issues, reconcile

USER, PASSWORD = "puller", "pa:ss wörd€"


@pytest.fixture(scope="module", params=[Docker, Podman])
def engine(request):
    why_not = request.param.why_not() or (None if static_runner() else "no tailgate-runner is linked statically")
    if why_not:
        pytest.skip(f"ENGINE NOT TESTED: {why_not}")
    one = request.param()
    yield one.start()
    one.close()


@pytest.fixture(params=["basic", "tokens"])
def registry(request):
    one = Registry(USER, PASSWORD, tokens=request.param == "tokens")
    yield one
    one.close()


def serving(own_daemon, engine, registry, *flags, value=f"{USER}:{PASSWORD}"):
    daemon = own_daemon("--engine", "docker", "--docker-host", engine.host, "--docker-network", "none",
                        "--runner", static_runner(), "--registry-secrets", f"other.example=x,{registry.address}=pull-it", *flags)
    if value:
        answer = daemon.request("POST", "/api/v1/secrets", {"name": "pull-it", "key_name": "PULL", "value": value})
        assert answer.status == 201, answer
    return daemon


def register(daemon, image):
    answer = daemon.request("POST", "/api/v1/images/register", {"image": image})
    assert answer.status == 201, answer
    return image


def texts(daemon, run):
    return [line[2] for line in Reader(daemon, run).read_to_end().lines]


def test_pull__with_its_secret__runs_for_whoever_may_run(own_daemon, engine, registry):
    daemon = serving(own_daemon, engine, registry)
    image = register(daemon, registry.reference("app"))
    developer = make_user(daemon, "developer")
    # Whoever runs it has no right to the secret, and finds nothing of it.
    assert daemon.get("/secrets/pull-it", key=developer.key).status in (403, 404)
    answer = daemon.request("POST", "/api/v1/run", {"command": "echo ran; set", "image": image}, key=developer.key)
    assert answer.status == 202, answer
    run = answer.json["execution_id"]
    assert daemon.wait_status(run)["status"] == "SUCCEEDED", texts(daemon, run)
    lines = texts(daemon, run)
    assert "ran" in lines and not any("PULL=" in line or PASSWORD in line for line in lines)
    assert PASSWORD not in daemon.log_path.read_text()
    assert registry.served > 0


def test_pull__of_another_registry_or_wrong_password__told(own_daemon, engine, registry):
    daemon = serving(own_daemon, engine, registry, value=f"{USER}:wrong")
    run = daemon.run("echo ran", image=register(daemon, registry.reference("denied")))["execution_id"]
    end = daemon.wait_status(run)
    assert (end["status"], end["reason"]) == ("FAILED", "start_failed")
    assert any("could not be pulled" in line for line in texts(daemon, run))
    assert registry.refused > 0


@pytest.mark.parametrize("value,details", [(None, "there is no such secret"), ("no-colon", "its value must be USER:PASSWORD")])
def test_run__secret_missing_or_of_another_form__400(own_daemon, engine, registry, value, details):
    daemon = serving(own_daemon, engine, registry, value=value)
    image = register(daemon, registry.reference("never"))
    answer = daemon.request("POST", "/api/v1/run", {"command": "true", "image": image})
    assert answer.status == 400 and details in answer.json["details"] and "pull-it" in answer.json["details"], answer
    assert daemon.sql("SELECT count(*) FROM executions") == [["0"]]


def test_reconcile__image_of_such_a_registry(own_daemon, engine, registry):
    if engine.name == "podman":
        pytest.skip("Podman does not tell what a registry offers")
    daemon = serving(own_daemon, engine, registry)
    register(daemon, registry.reference("offered"))
    assert reconcile(daemon)["status"] == "healthy"
    assert registry.served > 0
    assert daemon.request("DELETE", "/api/v1/secrets/pull-it").status == 200
    report = reconcile(daemon)
    assert report["status"] == "degraded" and "there is no such secret" in issues(report, "image")[0]["message"], report


@pytest.mark.parametrize("value", ["x", "=s", "r=", "r=s,x", "r=" + "s" * 200])
def test_setting__of_another_form__refused_at_the_start(value):
    daemon = Daemon("--registry-secrets", value)
    try:
        with pytest.raises(AssertionError, match="registry-secrets"):
            daemon.start()
    finally:
        daemon.close()
