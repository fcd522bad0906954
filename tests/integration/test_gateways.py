"""Several gateways on one PostgreSQL."""
import time

import pytest
from tailgate import Reader, read_runvoy_stream


@pytest.fixture
def pair(own_daemon):
    one = own_daemon()
    return one, own_daemon("--database-url", one.conninfo())


def test_run_of_one__read_live_through_the_other(pair):
    one, two = pair
    i = one.run("for n in $(seq 50); do echo $n; sleep 0.05; done; exit 3")["execution_id"]
    reader = Reader(two, i).read_until(1)
    began = time.monotonic()
    reader.read_to_end()
    assert [line[2] for line in reader.lines] == [str(n) for n in range(1, 51)]
    assert reader.end["status"] == "FAILED" and reader.end["exit_code"] == 3
    logs = [m for m in reader.messages if m["type"] == "live"]
    assert len(logs) == 1 and time.monotonic() - began > 1


def test_run_of_one__hints_arrive_before_the_poll(pair):
    one, two = pair
    i = one.run("for i in 1 2 3 4 5 6 7; do sleep 0.73; date +%s%3N; done; sleep 2")["execution_id"]
    reader, late_ms = Reader(two, i), []
    while len(late_ms) < 7:
        reader.step()
        late_ms += [time.time() * 1000 - int(line[2]) for line in reader.lines[len(late_ms):]]
    # The poll alone would bring them up to 1,000 ms late, spread evenly; one may be held up by a busy machine.
    assert sorted(late_ms)[3] < 300, late_ms


def test_runvoy_stream_of_the_other__whole(pair):
    one, two = pair
    run = one.run("seq 3000")
    url = two.get(f"/executions/{run['execution_id']}/logs").json.get("websocket_url") or \
        run["websocket_url"].replace(one.url.split("//")[1], two.url.split("//")[1])
    lines, disconnect, code, _ = read_runvoy_stream(two.websocket(url, subprotocol=None, key=None))
    assert [m["message"] for m in lines] == [str(n) for n in range(1, 3001)] and disconnect and code == 1000


def test_stop_of_anothers_run__says_which_gateway(pair):
    one, two = pair
    i = one.run("sleep 30")["execution_id"]
    one.wait_status(i, ("RUNNING",))
    answer = two.request("DELETE", f"/api/v1/executions/{i}")
    assert (answer.status, answer.json["code"]) == (503, "SERVICE_UNAVAILABLE"), answer
    assert one.status(i)["status"] == "RUNNING"


def test_start_of_the_other__leaves_foreign_runs_alone(pair):
    one, two = pair
    i = one.run("sleep 1; echo done")["execution_id"]
    one.wait_status(i, ("RUNNING",))
    two.kill9()
    two.start()
    assert one.wait_status(i)["status"] == "SUCCEEDED" and two.logs_txt(i) == b"done\n"
