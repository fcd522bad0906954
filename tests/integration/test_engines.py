"""The same scenarios on every engine: what a run does must not depend on what runs it."""
import subprocess
import time

import pytest
from containers import Docker, Podman, static_runner
from tailgate import BIN, Daemon, Reader, wait_for
from test_runs import BYTES, ENDS, WANTED

ENGINES = {"process": None, "docker": Docker, "podman": Podman}


class Place:
    """A daemon with one engine, and the image that its runs name (None: the engine's own)."""

    def __init__(self, name, *engine_flags):
        self.name, self.engine, self.image = name, None, None
        flags = []
        if ENGINES[name]:
            self.engine = ENGINES[name](*engine_flags).start()
            self.engine.import_image("busybox:latest")
            self.image = "busybox:latest"
            flags = ["--engine", "docker", "--docker-host", self.engine.host, "--pull", "never",
                     "--docker-network", "none", "--runner", static_runner()]
        self.daemon = Daemon(*flags).start()
        if self.image:
            answer = self.daemon.request("POST", "/api/v1/images/register", {"image": self.image})
            assert answer.status == 201, answer

    def run(self, command, **fields):
        return self.daemon.run(command, image=self.image, **fields) if self.image else self.daemon.run(command, **fields)

    def finish(self, command, **fields):
        return self.daemon.wait_status(self.run(command, **fields)["execution_id"])

    def system_lines(self, execution_id):
        return [e["text"] for e in self.page(execution_id) if e["stream"] == "s"]

    def page(self, execution_id):
        reader = Reader(self.daemon, execution_id).read_to_end()
        return [{"stream": line[1], "text": line[2]} for line in reader.lines]

    def close(self):
        self.daemon.close()
        if self.engine:
            self.engine.close()


@pytest.fixture(scope="module", params=ENGINES)
def place(request):
    kind = ENGINES[request.param]
    why_not = kind and (kind.why_not() or (None if static_runner() else "no tailgate-runner is linked statically"))
    if why_not:
        pytest.skip(f"ENGINE NOT TESTED: {why_not}")
    one = Place(request.param)
    try:
        yield one
    finally:
        one.close()


@pytest.mark.parametrize("command,status,code,signal,reason", ENDS)
def test_end__table(place, command, status, code, signal, reason):
    end = place.finish(command)
    assert (end["status"], end["exit_code"], end.get("signal"), end.get("reason")) == (status, code, signal, reason)


def test_timeout__failed_124(place):
    end = place.finish("echo before; sleep 60", timeout=3, grace=1)
    assert (end["status"], end["exit_code"], end["reason"]) == ("FAILED", 124, "timeout")
    assert b"before\n" in place.daemon.logs_txt(end["execution_id"])


def test_kill__stopped_130(place):
    i = place.run("trap '' TERM; echo ready; while :; do sleep 0.1; done", grace=1)["execution_id"]
    Reader(place.daemon, i).read_until(1)
    assert place.daemon.request("DELETE", f"/api/v1/executions/{i}").status == 200
    end = place.daemon.wait_status(i)
    assert (end["status"], end["exit_code"]) == ("STOPPED", 130)


def test_many_lines__each_once(place):
    end = place.finish("seq 1 100000")
    assert end["status"] == "SUCCEEDED"
    assert place.daemon.logs_txt(end["execution_id"]) == b"".join(b"%d\n" % n for n in range(1, 100001))
    Reader(place.daemon, end["execution_id"]).read_to_end()


def test_bytes__come_back_as_written(place):
    end = place.finish(BYTES)
    assert place.daemon.logs_txt(end["execution_id"]) == WANTED


def test_environment_and_workspace(place):
    end = place.finish("echo $ONE; echo made >file; cat file; pwd", env={"ONE": "1 a$b"})
    lines = place.daemon.logs_txt(end["execution_id"]).split(b"\n")
    assert lines[:2] == [b"1 a$b", b"made"]
    if place.engine:
        assert lines[2] == b"/workspace"


def test_restart_in_the_middle__goes_on(place):
    i = place.run("for n in $(seq 1 60); do echo $n; sleep 0.05; done; exit 3")["execution_id"]
    Reader(place.daemon, i).read_until(5)
    place.daemon.kill9()
    place.daemon.start()
    end = place.daemon.wait_status(i)
    assert (end["status"], end["exit_code"]) == ("FAILED", 3)
    assert place.daemon.logs_txt(i) == b"".join(b"%d\n" % n for n in range(1, 61))


def test_run__leaves_nothing_behind(place):
    end = place.finish("echo x")
    wait_for(lambda: not (place.daemon.state / "runs" / end["execution_id"]).exists(), "the run directory to go")
    if place.engine:
        name = f"/tailgate-{end['execution_id']}"
        assert all(name not in c["Names"] for c in place.engine.containers())


def test_missing_image__refused_or_failed_with_a_reason(place):
    if not place.engine:
        answer = place.daemon.request("POST", "/api/v1/run", {"command": "true", "image": "absent:1"})
        assert answer.status == 404, answer
        return
    assert place.daemon.request("POST", "/api/v1/images/register", {"image": "absent:1"}).status == 201
    i = place.daemon.run("true", image="absent:1")["execution_id"]
    end = place.daemon.wait_status(i)
    assert (end["status"], end["reason"]) == ("FAILED", "start_failed")
    assert any("the image is not to be had" in line for line in place.system_lines(i)), place.system_lines(i)


# ---- the container daemon itself ----


@pytest.fixture
def docker(request):
    why_not = Docker.why_not() or (None if static_runner() else "no tailgate-runner is linked statically")
    if why_not:
        pytest.skip(f"ENGINE NOT TESTED: {why_not}")
    one = Place("docker", *request.param)
    try:
        yield one
    finally:
        one.close()


COUNT = "for n in $(seq 1 100); do echo $n; sleep 0.05; done; exit 3"


@pytest.mark.parametrize("docker", [["--live-restore"]], indirect=True)
def test_daemon_restart__with_live_restore__goes_on(docker):
    i = docker.run(COUNT)["execution_id"]
    Reader(docker.daemon, i).read_until(5)
    docker.engine.stop()
    docker.engine.start()
    end = docker.daemon.wait_status(i)
    assert (end["status"], end["exit_code"]) == ("FAILED", 3), (end, docker.system_lines(i))
    assert docker.daemon.logs_txt(i) == b"".join(b"%d\n" % n for n in range(1, 101))


@pytest.mark.parametrize("docker", [[]], indirect=True)
def test_daemon_restart__ends_the_containers__lost_with_a_reason(docker):
    i = docker.run(COUNT)["execution_id"]
    Reader(docker.daemon, i).read_until(5)
    docker.engine.stop()
    docker.engine.start()
    end = docker.daemon.wait_status(i)
    assert (end["status"], end["reason"]) == ("FAILED", "container_lost"), (end, docker.system_lines(i))
    lines = docker.daemon.logs_txt(i).splitlines()
    assert lines == [b"%d" % n for n in range(1, len(lines) + 1)] and len(lines) >= 5


# ---- containers alone ----


@pytest.fixture
def containers(place):
    if not place.engine:
        pytest.skip("engine process has no containers")
    return place


def test_uname__prints_a_line(containers):
    i = containers.run("uname -a")["execution_id"]
    Reader(containers.daemon, i).read_until(1)
    assert containers.daemon.wait_status(i)["status"] == "SUCCEEDED"


def test_cli_run__prints_a_line_within_2_s(containers):
    began = time.monotonic()
    client = subprocess.Popen([str(BIN / "tailgate"), "run", "--image", containers.image, "--", "uname", "-a"],
                              env=containers.daemon.cli_env(), stdout=subprocess.PIPE)
    try:
        line = client.stdout.readline()
        took = time.monotonic() - began
        assert line.startswith(b"Linux ") and took < 2, (line, took)
        assert client.wait(20) == 0
    finally:
        client.stdout.close()
        client.kill()
        client.wait()


def test_container__no_capabilities_and_no_way_to_the_spool(containers):
    end = containers.finish("exec 2>&1; grep CapEff /proc/self/status; cat /.tailgate/spool; echo junk >>/.tailgate/spool; "
                            "rm -f /.tailgate/spool; mv /.tailgate/spool /tmp/x; kill -9 1; echo end")
    text = containers.daemon.logs_txt(end["execution_id"])
    assert end["status"] == "SUCCEEDED" and b"CapEff:\t0000000000000000\n" in text and text.endswith(b"end\n")
    assert b"junk" not in text.replace(b"junk: ", b"") and b"TGSPOOL" not in text


def test_container__out_of_memory(containers):
    answer = containers.daemon.request("POST", "/api/v1/images/register", {"image": containers.image, "memory": 32})
    assert answer.status == 201, answer
    image = next(i for i in containers.daemon.get("/images").json["images"] if i.get("memory") == 32)["image_id"]
    i = containers.daemon.run("echo before; exec tail /dev/zero", image=image)["execution_id"]
    end = containers.daemon.wait_status(i)
    assert (end["status"], end["exit_code"], end["signal"]) == ("FAILED", 137, 9), end
    assert end["reason"] == "out_of_memory", end
    assert [line for line in containers.system_lines(i) if "out of memory" in line] == [
        "tailgate: out of memory: the limit is 32 MiB"]
    i = containers.daemon.run("tail /dev/zero; echo $?; exit 3", image=image)["execution_id"]
    end = containers.daemon.wait_status(i)  # its child alone was killed, and it went on
    assert (end["status"], end["exit_code"], end.get("reason")) == ("FAILED", 3, None), end


def test_container__removed_behind_our_back__lost(containers):
    i = containers.run("echo on; sleep 60")["execution_id"]
    Reader(containers.daemon, i).read_until(1)
    status, _ = containers.engine.api("DELETE", f"/containers/tailgate-{i}?force=true")
    assert status in (200, 204)
    end = containers.daemon.wait_status(i)
    assert (end["status"], end["reason"]) == ("FAILED", "container_lost"), end
    assert containers.daemon.logs_txt(i) == b"on\n"


def test_container__image_without_shell__says_so(containers):
    containers.engine.import_image("noshell:1", shell=False)
    assert containers.daemon.request("POST", "/api/v1/images/register", {"image": "noshell:1"}).status == 201
    i = containers.daemon.run("true", image="noshell:1")["execution_id"]
    end = containers.daemon.wait_status(i)
    assert (end["status"], end["exit_code"]) == ("FAILED", 127), containers.system_lines(i)
    assert any("/bin/sh" in line or "No such file" in line for line in containers.system_lines(i))
