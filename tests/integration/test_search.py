"""Search on the server: text and expressions, both directions, stored and live lines; expensive ones hurt nobody."""
import random
import re
import threading
import time
import urllib.parse

import pytest
from tailgate import DEADLINE, Reader, wait_for


def ask(daemon, execution_id, **query):
    return daemon.get(f"/executions/{execution_id}/logs?{urllib.parse.urlencode(query)}", timeout=DEADLINE)


def search(daemon, execution_id, **query):
    answer = ask(daemon, execution_id, **query)
    assert answer.status == 200, answer
    page = answer.json
    assert page["matches"] >= page["lines"] >= len(page["events"])
    return page


def pages(daemon, execution_id, **query):
    """All pages, by their cursors."""
    found, page = [], None
    while page is None or page["more"]:
        page = search(daemon, execution_id, **query)
        found.append(page)
        query["cursor"] = page.get("cursor")
    return found


def marked(event):
    units = event["message"].encode("utf-16-le")
    return [units[2 * a:2 * b].decode("utf-16-le") for a, b in event["spans"]]


def test_search__every_match_once_in_both_directions(daemon):
    lines = [f"line {n} {'needle' if n % 7 == 0 else 'hay'} {n * 7919 % 101}" for n in range(1, 20001)]
    i = daemon.run("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); if [ $((i%7)) -eq 0 ]; then w=needle; else w=hay; fi; "
                   "echo line $i $w $((i*7919%101)); done")["execution_id"]
    daemon.wait_status(i)
    for query, pattern in (({"q": "needle"}, "needle"), ({"regex": r"hay \d*7$"}, r"hay \d*7$"),
                           ({"q": "NEEDLE 1", "ignore_case": 1}, "needle 1"), ({"regex": r"(?<=e )\d+"}, r"(?<=e )\d+")):
        expected = [n for n, line in enumerate(lines, 1) if re.search(pattern, line)]
        count = search(daemon, i, **query, count=1)
        assert (count["lines"], count["events"], count["more"]) == (len(expected), [], False)
        assert count["matches"] == sum(len(re.findall(pattern, line)) for line in lines)
        for place, order in (({}, 1), ({"before": 0}, -1)):
            found = [e for p in pages(daemon, i, **query, **place, limit=997) for e in p["events"]]
            assert [e["seq"] for e in found] == expected[::order]
            assert all(e["message"] == lines[e["seq"] - 1] for e in found)
            assert all(marked(e) == [m[0] for m in re.finditer(pattern, e["message"])] for e in found)
    page = search(daemon, i, q="needle", after=700, limit=1)
    assert page["events"][0]["seq"] == 707 and page["searched_to"] == 707 and page["more"]
    assert search(daemon, i, q="needle", before=700, limit=1)["events"][0]["seq"] == 693
    assert search(daemon, i, q="no such thing")["events"] == []


def test_search__parts_of_a_line_are_joined(daemon):
    i = daemon.finish("head -c 65530 /dev/zero | tr '\\0' a; echo -n 'the joint'; echo warning >&2; "
                      "head -c 70000 /dev/zero | tr '\\0' b; echo; echo end")["execution_id"]
    for place in ({}, {"before": 0}):
        page = search(daemon, i, q="the joint", **place)
        event, = page["events"]
        assert marked(event) == ["the joint"] and event["last_seq"] > event["seq"]
        assert event["message"] == "a" * 65530 + "the joint" + "b" * 70000
        assert search(daemon, i, regex="^a+the.*b$", **place)["lines"] == 1


def test_search__bytes_that_are_no_utf8(daemon):
    i = daemon.finish("printf 'gr\\303\\274n \\377\\376 \\360\\237\\230\\200 needle\\n\\300needle\\n'")["execution_id"]
    first, second = search(daemon, i, q="needle")["events"]
    assert marked(first) == ["needle"] and marked(second) == ["needle"] and "�" in second["message"]
    assert marked(search(daemon, i, regex="GRÜN", ignore_case=1)["events"][0]) == ["grün"]
    assert search(daemon, i, regex="n.*needle")["lines"] == 0


def test_search__live_lines(daemon):
    i = daemon.run("echo one; sleep 0.2; printf 'half a li'; read x < /dev/null; sleep 30")["execution_id"]
    wait_for(lambda: search(daemon, i, q="half")["lines"] == 1, "the unfinished line")
    page = search(daemon, i, q="half")
    assert not page["more"] and page["events"][0]["message"] == "half a li"
    assert page["searched_to"] < page["events"][0]["seq"]  # it is looked at again once it has grown
    daemon.request("DELETE", f"/api/v1/executions/{i}")


@pytest.mark.parametrize("query, told", [
    ({"regex": "("}, "at character 2"), ({"regex": "ü["}, "at character 3"), ({"regex": ""}, "1 to 1024 bytes"),
    ({"q": ""}, "1 to 1024 bytes"), ({"q": "x" * 1025}, "1 to 1024 bytes"), ({"regex": r"\C"}, r"\C"),
    ({"q": "a", "regex": "b"}, "exclude"), ({"q": "a", "after": 1, "before": 2}, "exclude"),
    ({"q": "a", "cursor": "1.2"}, "cursor"), ({"q": "a", "cursor": "1.2.3.4"}, "cursor"),
    ({"q": "a", "limit": "x"}, "limit"), ({"q": "a", "tail": 3}, "tail"), ({"q": b"\xff"}, "UTF-8")])
def test_search__bad_question__400(daemon, query, told):
    i = daemon.finish("echo hello")["execution_id"]
    answer = ask(daemon, i, **query)
    assert (answer.status, answer.json["code"]) == (400, "INVALID_REQUEST") and told in answer.json["details"], answer


EXPENSIVE = "yes aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | head -n 200000"


def test_search__catastrophic_expression__refused_and_nobody_waits(own_daemon):
    daemon = own_daemon("--search-queue", "3", "--search-time", "1s")
    i = daemon.run(EXPENSIVE + "; head -c 65000 /dev/zero | tr '\\0' a; echo")["execution_id"]
    daemon.wait_status(i)
    live = daemon.run("while :; do echo x; sleep 0.02; done")["execution_id"]
    reader, answers, served, stop = Reader(daemon, live), [], [], threading.Event()
    calls = 0

    def keep_asking():
        while not stop.is_set():
            for regex in ("(a+)+$x", "(?:a*a*)*b", "a.{1,40}(a|aa)+[^a]"):
                began = calls
                answers.append(ask(daemon, i, regex=regex))
                served.append((answers[-1].status, calls - began))
    askers = [threading.Thread(target=keep_asking, daemon=True) for _ in range(4)]
    for t in askers:
        t.start()
    # Were the server held up, one call or two would be answered between a search and its answer.
    give_up = time.monotonic() + DEADLINE
    while not (any(status == 400 and others >= 6 for status, others in served) and len(answers) >= 12):
        assert time.monotonic() < give_up, served
        assert daemon.get("/health").status == 200
        assert daemon.get(f"/executions/{i}/status").status == 200
        reader.read_until(reader.position + 1)
        calls += 3
    stop.set()
    for t in askers:
        t.join()
    assert daemon.request("DELETE", f"/api/v1/executions/{live}").status == 200
    told = [a for a in answers if a.status == 400]
    assert all("expression too expensive at seq" in a.json["details"] for a in told)
    assert all(a.status in (200, 400, 429) for a in answers), {a.status for a in answers}


def test_search__too_many__429_and_those_that_left_make_room(own_daemon):
    daemon = own_daemon("--max-searches", "1", "--search-queue", "1", "--search-time", "3s")
    i = daemon.run("seq 300000")["execution_id"]
    daemon.wait_status(i)
    answers = []
    askers = [threading.Thread(target=lambda: answers.append(ask(daemon, i, regex=r"(?:\d?){12}x", count=1))) for _ in range(6)]
    for t in askers:
        t.start()
    for t in askers:
        t.join()
    refused = [a for a in answers if a.status == 429]
    assert refused and all(a.json["code"] == "LIMIT_EXCEEDED" and a.headers["Retry-After"] for a in refused), answers
    assert any(a.status == 200 for a in answers), answers
    assert search(daemon, i, q="123456")["lines"] == 1


def test_search__pages_while_the_log_grows__by_cursor(daemon):
    """Random limits and directions against what the log holds, parts and streams mixed."""
    rng = random.Random(7)
    i = daemon.run("for n in $(seq 300); do printf 'a%s' $n; echo e$n >&2; [ $((n%3)) -eq 0 ] && sleep 0.01; echo b; done"
                   )["execution_id"]
    cursor, seen = {}, {}
    while True:
        ended = daemon.status(i)["status"] in ("SUCCEEDED", "FAILED")
        page = search(daemon, i, regex="[ae]", limit=rng.randint(1, 20), **cursor)
        cursor = {"cursor": page["cursor"]}
        seen.update({e["seq"]: e["message"] for e in page["events"]})
        if ended and not page["more"]:
            break
    assert sorted(seen.values()) == sorted([f"a{n}b" for n in range(1, 301)] + [f"e{n}" for n in range(1, 301)])
    back = [e for p in pages(daemon, i, regex="[ae]", before=0, limit=13) for e in p["events"]]
    assert {e["seq"]: e["message"] for e in back} == seen
