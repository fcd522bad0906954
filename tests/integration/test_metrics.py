"""/metrics: the format, the figures of a known load, and the page that explains them."""
import pathlib
import re

from tailgate import Reader

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/metrics.md"
SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z]+)="((?:[^"\\]|\\.)*)"\})? (-?[0-9.]+|\+Inf)$')


def scrape(daemon):
    """{family: type}, {(name, label value): number}; every line must be of the format."""
    answer = daemon.request("GET", "/metrics", key=None)
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    types, samples, helped = {}, {}, set()
    for line in answer.body.decode().splitlines():
        if line.startswith("# HELP "):
            helped.add(line.split()[2])
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name in helped and name not in types, line
            types[name] = kind
        else:
            match = SAMPLE.match(line)
            assert match, line
            family = re.sub(r"_(bucket|sum|count)$", "", match.group(1))
            assert match.group(1) in types or types.get(family) == "histogram", line
            samples[match.group(1), match.group(3)] = float(match.group(4).replace("+Inf", "inf"))
    return types, samples


def test_metrics__two_readers_of_1000_lines__counted(own_daemon):
    one = own_daemon()
    _, before = scrape(one)
    run = one.run("sleep 1; seq 1000")
    readers = [Reader(one, run["execution_id"]) for _ in range(2)]
    for reader in readers:
        reader.read_to_end()
    _, after = scrape(one)

    def rise(name):
        return after[name, None] - before[name, None]

    assert rise("tailgate_committed_lines_total") == 1000
    assert rise("tailgate_committed_bytes_total") == sum(len(str(n)) for n in range(1, 1001))
    assert rise("tailgate_sent_lines_total") == 2000
    assert rise("tailgate_streams_opened_total") == 2
    assert rise("tailgate_commit_to_send_seconds_count") >= 2
    assert rise("tailgate_commit_seconds_count") >= 2  # RUNNING, and the end with the lines
    assert after["tailgate_dropped_lines_total", None] == 0
    assert after["tailgate_readers_behind", None] == 0
    assert after["tailgate_loop_turn_seconds_count", None] > 0


def test_metrics__histograms_are_cumulative(daemon):
    types, samples = scrape(daemon)
    for family in (name for name, kind in types.items() if kind == "histogram"):
        buckets = [(float(le.replace("+Inf", "inf")), n) for (name, le), n in samples.items() if name == f"{family}_bucket"]
        assert buckets == sorted(buckets) and [n for _, n in buckets] == sorted(n for _, n in buckets)
        assert buckets[-1] == (float("inf"), samples[f"{family}_count", None])


def test_metrics__page_lists_each_with_its_type(daemon):
    types, _ = scrape(daemon)
    listed = dict(re.findall(r"^\| `(tailgate_[a-z_]+)(?:\{[a-z]+\})?` \| (\w+) \|", PAGE.read_text(), re.M))
    assert listed == types
