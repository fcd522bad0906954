"""Several gateways on one PostgreSQL."""
import re
import subprocess
import threading
import time

import pytest
from tailgate import PG_BIN, Daemon, Gate, Reader, read_runvoy_stream, wait_for


@pytest.fixture(scope="module")
def pair():
    """Their leases outlive every test: nothing is taken over here, however long one is away."""
    one = Daemon("--lease", "1h")
    try:
        one.start()
        two = Daemon("--lease", "1h", "--database-url", one.conninfo())
        try:
            yield one, two.start()
        finally:
            two.close()
    finally:
        one.close()


def counted(name, daemon):
    """An unlabelled figure of /metrics."""
    text = daemon.request("GET", "/metrics", key=None).body.decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.M).group(1))


class Listening:
    """A psql that hears what is told on a channel."""

    def __init__(self, daemon, channel):
        self.psql = subprocess.Popen([PG_BIN / "psql", daemon.conninfo(), "-qXAt"], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True, cwd="/")
        self.ask(f"LISTEN {channel}; SELECT 'listening';", "listening")

    def ask(self, query, until):
        self.psql.stdin.write(query + "\n")
        self.psql.stdin.flush()
        lines = []
        while not lines or lines[-1] != until:
            lines.append(self.psql.stdout.readline().strip())
        return lines[:-1]

    def heard(self):
        """(payload, process id of the sender) of all since the last call."""
        lines = self.ask("SELECT 1; SELECT 'all';", "all")  # psql tells them behind an answer
        return re.findall(r'payload "([^"]*)" received from server process with PID (\d+)', "\n".join(lines))

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


def listener_pids(daemon):
    return {pid for (pid,) in daemon.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'tailgated listener'")}


class DeafListeners(threading.Thread):
    """Ends the gateways' listening connections as fast as they come back: hints are lost."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.daemon_, self.over, self.ended = daemon, threading.Event(), 0

    def __enter__(self):
        self.start()
        return self

    def run(self):
        while not self.over.wait(0.02):
            self.ended += len(self.daemon_.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                               "WHERE application_name = 'tailgated listener'"))

    def __exit__(self, *_):
        self.over.set()
        self.join()


def test_run_of_one__read_live_through_the_other(pair):
    one, two = pair
    gates = [Gate(one) for _ in range(10)]
    i = one.run("; ".join(f"echo {n}; {gate.wait}" for n, gate in enumerate(gates)) + "; exit 3")["execution_id"]
    reader = Reader(two, i)
    for n, gate in enumerate(gates):
        reader.read_until(n + 1)  # the next one is not there before the gate is open
        gate.open()
    reader.read_to_end()
    assert [line[2] for line in reader.lines] == [str(n) for n in range(len(gates))]
    assert reader.end["status"] == "FAILED" and reader.end["exit_code"] == 3
    assert reader.types().count("live") == 1


def test_run_of_one__hints_arrive_before_the_poll(pair):
    """The poll alone would bring them up to 1,000 ms late, spread evenly: never would five of seven in a row be in time.
    What a busy machine holds up may come late; so it takes as many as are needed."""
    one, two = pair
    i = one.run("for i in $(seq 100); do sleep 0.73; date +%s%3N; done")["execution_id"]
    reader, late_ms = Reader(two, i), []
    while len(late_ms) < 7 or sorted(late_ms[-7:])[4] >= 300:
        assert reader.step()["type"] != "end", late_ms
        late_ms += [time.time() * 1000 - int(line[2]) for line in reader.lines[len(late_ms):]]
    assert one.request("DELETE", f"/api/v1/executions/{i}").status == 200
    one.wait_status(i)


def test_hints__one_a_turn_from_a_connection_of_their_own(pair):
    one, _ = pair
    listening = Listening(one, "tailgate_log")
    commits = counted("tailgate_commits_total", one)
    runs = [one.run("for k in $(seq 100); do echo $k; done; sleep 0.2; seq 20000") for _ in range(3)]
    for run in runs:
        one.wait_status(run["execution_id"])
    wait_for(lambda: counted("tailgate_uncommitted_bytes", one) == 0, "all to be committed")
    heard = listening.heard()
    listening.close()
    keys = {str(int(run["execution_id"][:16], 16)) for run in runs}
    assert {key for key, _ in heard} == keys
    assert {pid for _, pid in heard} <= listener_pids(one)
    # A commit publishes chunks and a state of several executions; each execution is told once.
    assert 6 <= len(heard) <= len(runs) * (counted("tailgate_commits_total", one) - commits)
    writers = {pid for (pid,) in one.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'tailgated writer'")}
    assert not writers & listener_pids(one)


def test_hints_lost__cost_latency_only(pair):
    one, two = pair
    with DeafListeners(one) as deaf:
        wait_for(lambda: deaf.ended > 0, "the listeners to be cut off")
        i = one.run("for n in $(seq 300); do echo $n; sleep 0.01; done; exit 3")["execution_id"]
        reader = Reader(two, i).read_to_end()
        assert [line[2] for line in reader.lines] == [str(n) for n in range(1, 301)]
        assert (reader.end["status"], reader.end["exit_code"]) == ("FAILED", 3)
        assert two.logs_txt(i) == one.logs_txt(i)


def test_runvoy_stream_of_the_other__whole(pair):
    one, two = pair
    run = one.run("seq 3000")
    url = two.get(f"/executions/{run['execution_id']}/logs").json.get("websocket_url") or \
        run["websocket_url"].replace(one.url.split("//")[1], two.url.split("//")[1])
    lines, disconnect, code, _ = read_runvoy_stream(two.websocket(url, subprotocol=None, key=None))
    assert [m["message"] for m in lines] == [str(n) for n in range(1, 3001)] and disconnect and code == 1000


def test_stop_of_anothers_run__its_gateway_does_it(pair):
    one, two = pair
    i = one.run("echo up; sleep 100")["execution_id"]
    reader = Reader(two, i).read_until(1)
    answer = two.request("DELETE", f"/api/v1/executions/{i}")
    assert answer.status == 200 and answer.json["execution_id"] == i, answer
    assert two.status(i)["status"] in ("TERMINATING", "STOPPED")
    reader.read_to_end()
    end = one.wait_status(i)
    assert (end["status"], end["exit_code"], reader.end["status"]) == ("STOPPED", 130, "STOPPED")
    assert one.sql("SELECT cause FROM execution_events WHERE to_status = 'TERMINATING' "
                   f"AND execution_key = {int(i[:16], 16)}") == [["killed by admin@localhost"]]
    assert two.request("DELETE", f"/api/v1/executions/{i}").status == 204
    wait_for(lambda: not list((one.state / "runs").iterdir()), "the run directory to be removed")


def test_stop_of_anothers_run__hints_lost__told_again(pair):
    one, two = pair
    i = one.run("sleep 100")["execution_id"]
    one.wait_status(i, ("RUNNING",))
    answers = []
    asker = threading.Thread(target=lambda: answers.append(two.request("DELETE", f"/api/v1/executions/{i}")))
    with DeafListeners(one) as deaf:
        wait_for(lambda: deaf.ended > 3, "the listeners to be cut off")
        asker.start()
        wait_for(lambda: one.sql("SELECT count(*) FROM audit WHERE action = 'executions.delete' "
                                 f"AND resource = 'execution/{i}'") != [["0"]], "the stop to be asked for")
    asker.join()
    assert answers[0].status == 200, answers
    assert one.wait_status(i)["status"] == "STOPPED"


def test_stop_of_anothers_run__gateway_is_down__says_which(pair):
    one, two = pair
    i = two.run("sleep 100")["execution_id"]
    two.wait_status(i, ("RUNNING",))
    two.kill9()
    answer = one.request("DELETE", f"/api/v1/executions/{i}")
    assert (answer.status, answer.json["code"]) == (503, "SERVICE_UNAVAILABLE"), answer
    assert gateway_of(two) in answer.json["details"] and "does not answer" in answer.json["details"]
    two.start()
    assert two.request("DELETE", f"/api/v1/executions/{i}").status in (200, 204)
    assert two.wait_status(i)["status"] == "STOPPED"


def test_start_of_the_other__leaves_foreign_runs_alone(pair):
    one, two = pair
    gate = Gate(one)
    i = one.run(f"{gate.wait}; echo done")["execution_id"]
    one.wait_status(i, ("RUNNING",))
    two.kill9()
    two.start()
    gate.open()
    assert one.wait_status(i)["status"] == "SUCCEEDED" and two.logs_txt(i) == b"done\n"
    owners = one.sql(f"SELECT DISTINCT owner, fence FROM executions WHERE execution_key = {int(i[:16], 16)}")
    assert owners == [[gateway_of(one), "1"]]


def test_foreign_runs__no_gateway_writes_anothers(pair):
    """Both run at once, both are killed in turn: every row keeps its owner, and every line is there once."""
    one, two = pair
    runs = [(daemon, daemon.run("for n in $(seq 150); do echo $n; sleep 0.01; done")["execution_id"])
            for daemon in (one, two) for _ in range(2)]
    for daemon, i in runs:
        Reader(daemon, i).read_until(1).ws.close()
    two.kill9()
    two.start()
    for daemon, i in runs:
        assert daemon.wait_status(i)["status"] == "SUCCEEDED"
        for through in (one, two):
            assert through.logs_txt(i).decode().split() == [str(n) for n in range(1, 151)]
        key = int(i[:16], 16)
        assert one.sql(f"SELECT owner FROM executions WHERE execution_key = {key}") == [[gateway_of(daemon)]]


def gateway_of(daemon):
    for line in reversed(daemon.log_path.read_text().splitlines()):
        found = re.search(r'"msg":"ready".*"gateway":"([^"]+)"', line)
        if found:
            return found.group(1)
    raise AssertionError("no gateway id in the log")
