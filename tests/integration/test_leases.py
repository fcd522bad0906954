"""Gateways that go for good, and those that take their executions over."""
import os
import signal
import time

import pytest
from containers import Docker, static_runner
from tailgate import Reader, wait_for

LEASE = 5.0
COUNT = "for n in $(seq %d); do echo line $n; sleep %s; done; printf 'raw: \\303\\044' >&2; exit 4"
LAST = b"raw: \xc3$"


@pytest.fixture
def pair(own_daemon):
    """The owner and the one that takes over; PostgreSQL is the latter's."""
    def make(*flags):
        taker = own_daemon(*flags)
        owner = own_daemon("--database-url", taker.conninfo(), "--secrets-key-file", taker.state / "secrets.key", *flags)
        return owner, taker
    return make


@pytest.fixture
def short(pair):
    return pair("--lease", f"{LEASE:.0f}s")


def gateway(daemon):
    return (daemon.state / "gateway.id").read_text().strip()


def owner_of(daemon, execution_id):
    return daemon.sql(f"SELECT owner, fence FROM executions WHERE execution_id = '{execution_id}'")[0]


def await_taken(owner, taker, execution_id):
    wait_for(lambda: owner_of(taker, execution_id)[0] == gateway(taker), f"{execution_id} to be taken over from {gateway(owner)}")


def await_settled(daemon, other):
    """Both have held their leases for a whole one: from then on each may judge the other."""
    wait_for(lambda: daemon.sql("SELECT count(*) FROM gateways WHERE up_since + lease_ms * interval '1 ms' < now() "
                                f"AND gateway_id IN ('{gateway(daemon)}', '{gateway(other)}')") == [["2"]], "the leases to be old enough")


def check_counted(daemon, execution_id, count):
    """Each line once, in order, in every form."""
    reader = Reader(daemon, execution_id).read_to_end()
    assert [line[2] for line in reader.lines if line[1] == "o"] == [f"line {n}" for n in range(1, count + 1)]
    assert [line[2] for line in reader.lines if line[1] == "s"] == []
    assert daemon.logs_txt(execution_id) == b"".join(b"line %d\n" % n for n in range(1, count + 1)) + LAST


def said(daemon, words):
    return [line for line in daemon.log_path.read_text().splitlines() if words in line]


def test_owner_killed_for_good__other_goes_on_within_15_s(pair):
    owner, taker = pair()
    await_settled(taker, owner)
    count = 400
    run = owner.run(COUNT % (count, "0.05"), env={"TAILGATE_LEASES": "sealed"})["execution_id"]
    silent = owner.run("sleep 300")["execution_id"]
    reader = Reader(taker, run).read_until(5)
    owner.kill9()
    killed = time.monotonic()
    await_taken(owner, taker, silent)
    await_taken(owner, taker, run)
    at = reader.position
    reader.read_until(at + 10)
    took = [time.monotonic() - killed]
    while took[-1] >= 15:  # the best of several: a busy machine is late
        assert len(took) < 4, took
        owner.start()
        await_settled(taker, owner)
        more = owner.run("sleep 300")["execution_id"]
        owner.kill9()
        killed = time.monotonic()
        await_taken(owner, taker, more)
        took.append(time.monotonic() - killed)
        assert taker.request("DELETE", f"/api/v1/executions/{more}").status == 200
    # Ended through the one that took it over.
    assert taker.request("DELETE", f"/api/v1/executions/{silent}").status == 200
    assert taker.wait_status(silent)["status"] == "STOPPED"
    reader.read_to_end()
    assert (reader.end["status"], reader.end["exit_code"]) == ("FAILED", 4)
    assert [line[2] for line in reader.lines if line[1] == "o"] == [f"line {n}" for n in range(1, count + 1)]
    check_counted(taker, run, count)
    # Nothing of it is left in the state directory that is nobody's now.
    wait_for(lambda: not list((owner.state / "runs").iterdir()), "the run directories to be removed")
    # Who was gone comes back and finds nothing to do.
    owner.start()
    assert owner.logs_txt(run) == taker.logs_txt(run)
    assert owner.status(silent)["status"] == "STOPPED"


@pytest.fixture
def docker():
    why_not = Docker.why_not() or (None if static_runner() else "no tailgate-runner is linked statically")
    if why_not:
        pytest.skip(f"ENGINE NOT TESTED: {why_not}")
    one = Docker().start()
    one.import_image("busybox:latest")
    yield one
    one.close()


def test_containers__owner_killed_for_good__other_on_the_docker_host_goes_on(pair, docker):
    owner, taker = pair("--engine", "docker", "--docker-host", docker.host, "--docker-network", "none", "--pull", "never",
                        "--runner", static_runner())
    assert owner.request("POST", "/api/v1/images/register", {"image": "busybox:latest"}).status == 201
    await_settled(taker, owner)
    silent, killed_behind = (owner.run("sleep 300")["execution_id"] for _ in range(2))
    for one in (silent, killed_behind):
        owner.wait_status(one, ["RUNNING"])
    count = 600
    run = owner.run(COUNT % (count, "0.05"))["execution_id"]
    owner.wait_status(run, ["RUNNING"])
    started = docker.api("GET", f"/containers/tailgate-{run}/json")[1]["State"]["StartedAt"]
    reader = Reader(taker, run).read_until(5)
    owner.kill9()
    for one in (run, silent, killed_behind):
        await_taken(owner, taker, one)
    reader.read_until(reader.position + 10)
    # The same container goes on; another is stopped through the new owner, and the last one's loss is seen by it.
    state = docker.api("GET", f"/containers/tailgate-{run}/json")[1]["State"]
    assert state["Running"] and state["StartedAt"] == started
    assert taker.request("DELETE", f"/api/v1/executions/{silent}").status == 200
    assert taker.wait_status(silent)["status"] == "STOPPED"
    assert docker.api("DELETE", f"/containers/tailgate-{killed_behind}?force=true")[0] == 204
    assert taker.wait_status(killed_behind)["reason"] == "container_lost"
    reader.read_to_end()
    assert (reader.end["status"], reader.end["exit_code"]) == ("FAILED", 4)
    check_counted(taker, run, count)
    wait_for(lambda: not docker.containers(), "the containers to be removed")
    owner.start()
    assert owner.logs_txt(run) == taker.logs_txt(run)
    for one in (owner, taker):
        answer = one.request("POST", "/api/v1/health/reconcile")
        assert answer.json["report"]["compute_status"]["orphaned_resources"] == [], answer.json


def test_taker_restarted__goes_on_in_the_other_directory(short):
    owner, taker = short
    await_settled(taker, owner)
    run = owner.run(COUNT % (300, "0.05"))["execution_id"]
    wait_for(lambda: owner.status(run)["status"] == "RUNNING", "it to run")
    owner.kill9()
    await_taken(owner, taker, run)
    taker.kill9()
    taker.start()
    wait_for(lambda: said(taker, '"execution adopted"') and taker.status(run)["status"] != "STARTING", "it to be adopted")
    assert (taker.wait_status(run)["exit_code"]) == 4
    check_counted(taker, run, 300)


def test_directory_out_of_reach__unreachable_then_gateway_lost(pair):
    owner, taker = pair("--lease", "2s", "--gateway-lost-after", "8s")
    await_settled(taker, owner)
    run = owner.run("echo before; sleep 300")["execution_id"]
    Reader(taker, run).read_until(1)
    runner = int((owner.state / "runs" / run / "lock").read_text().split()[0])
    owner.kill9()
    away = owner.dir / "away"
    owner.state.rename(away)
    try:
        wait_for(lambda: status_reason(taker, run) == "unreachable", "it to be shown as unreachable")
        assert taker.status(run)["status"] == "RUNNING"
        assert taker.sql(f"SELECT reason FROM executions WHERE execution_id = '{run}'") == [[""]]
        reader = Reader(taker, run).read_to_end()
        assert (reader.end["status"], reader.end["reason"]) == ("FAILED", "gateway_lost")
        assert [line[2] for line in reader.lines] == ["before"]
        assert status_reason(taker, run) == "gateway_lost"
    finally:
        os.kill(runner, signal.SIGKILL)
        away.rename(owner.state)


def await_told(reader, reason):
    """Reads until a status with this reason."""
    for _ in range(1000):
        message = reader.step()
        if message["type"] == "status":
            assert message["status"] == "RUNNING", message
            if message.get("reason") == reason:
                return message
    raise AssertionError(f"no status with reason {reason}")


def test_owner_cut_off_and_back__readers_are_told_as_it_happens(pair):
    owner, taker = pair("--lease", "2s", "--gateway-lost-after", "1h")
    await_settled(taker, owner)
    run = owner.run("echo before; while [ ! -e go ]; do sleep 0.1; done; echo after")["execution_id"]
    reader = Reader(taker, run).read_until(1)
    owner.kill9()
    away = owner.dir / "away"
    owner.state.rename(away)
    try:
        told = await_told(reader, "unreachable")
    finally:
        away.rename(owner.state)
    owner.start()  # within its time: the run is its own still, or the taker's now that it can be reached
    assert await_told(reader, None)["version"] >= told["version"]
    assert status_reason(taker, run) is None
    (owner.state / "workspaces" / run / "go").touch()
    reader.read_to_end()
    assert reader.end["status"] == "SUCCEEDED" and [line[2] for line in reader.lines] == ["before", "after"]


def status_reason(daemon, execution_id):
    return daemon.status(execution_id).get("reason")


def test_postgresql_away_for_longer_than_a_lease__nobody_is_taken_over(own_daemon):
    keeper = own_daemon()  # of the cluster; it stands still meanwhile, for it would start it at once
    flags = ["--database-url", keeper.conninfo(), "--secrets-key-file", keeper.state / "secrets.key", "--lease", f"{LEASE:.0f}s"]
    owner, taker = own_daemon(*flags), own_daemon(*flags)
    await_settled(taker, owner)
    one, two = owner.run(COUNT % (400, "0.05"))["execution_id"], taker.run(COUNT % (400, "0.05"))["execution_id"]
    Reader(taker, one).read_until(1)
    fences = owner_of(taker, one), owner_of(taker, two)
    os.kill(keeper.pid(), signal.SIGSTOP)
    try:
        options = (keeper.state / "pg/postmaster.opts").read_text().split(" ", 1)[1].replace('"', "")
        keeper.pg_ctl("stop", "-m", "fast")
        began = time.monotonic()
        wait_for(lambda: time.monotonic() - began > 2 * LEASE, "two leases to pass")
        keeper.pg_ctl("start", "-o", options)
    finally:
        os.kill(keeper.pid(), signal.SIGCONT)
    wait_for(lambda: owner.get("/executions").status == 200 and taker.get("/executions").status == 200, "both to be back")
    for run in (one, two):
        assert taker.wait_status(run)["exit_code"] == 4
        check_counted(taker, run, 400)
    assert (owner_of(taker, one), owner_of(taker, two)) == fences
    assert not said(taker, "taken over") and not said(owner, "taken over")


def test_owner_stopped_for_longer_than_its_lease__finds_its_writes_refused(short):
    owner, taker = short
    await_settled(taker, owner)
    run = owner.run(COUNT % (600, "0.05"))["execution_id"]
    reader, before = Reader(taker, run).read_until(5), Reader(owner, run).read_until(5)
    os.kill(owner.pid(), signal.SIGSTOP)
    try:
        await_taken(owner, taker, run)
        reader.read_until(reader.position + 20)
    finally:
        os.kill(owner.pid(), signal.SIGCONT)
    wait_for(lambda: said(owner, "another gateway's now"), "the old owner to forget it")
    reader.read_to_end()
    before.read_to_end()
    assert reader.lines == before.lines
    assert (reader.end["status"], reader.end["exit_code"]) == ("FAILED", 4)
    check_counted(taker, run, 600)
    assert owner.logs_txt(run) == taker.logs_txt(run)
    assert owner_of(taker, run) == [gateway(taker), "2"]


def test_killed_through_a_third__reaches_the_new_owner(short, own_daemon):
    owner, taker = short
    await_settled(taker, owner)
    run = owner.run("sleep 300")["execution_id"]
    wait_for(lambda: owner.status(run)["status"] == "RUNNING", "it to run")
    owner.kill9()
    await_taken(owner, taker, run)
    third = own_daemon("--database-url", taker.conninfo(), "--lease", "60s")
    assert third.request("DELETE", f"/api/v1/executions/{run}").status == 200
    assert third.wait_status(run)["status"] == "STOPPED"


def test_restart_within_the_lease__nobody_takes_anything(pair):
    owner, taker = pair("--lease", "15s")
    await_settled(taker, owner)
    run = owner.run(COUNT % (200, "0.05"))["execution_id"]
    Reader(taker, run).read_until(1)
    owner.stop()
    owner.start()
    assert owner.wait_status(run)["exit_code"] == 4
    check_counted(taker, run, 200)
    assert owner_of(taker, run)[0] == gateway(owner)
    assert not said(taker, "taken over")
