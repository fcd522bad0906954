"""/metrics: the format and its conventions, the figures of a known load, the page and the dashboard that explain them."""
import json
import pathlib
import re

from tailgate import Gate, Reader

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
SAMPLE = re.compile(r'([a-z_]+)(?:\{(.*)\})? (-?[0-9.]+|\+Inf)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\["\\n])*)"(?:,|$)')
UNITS = ("_seconds", "_bytes", "_total", "_info", "_seconds_total", "_bytes_total")
COUNTS = ("connections", "streams", "subscriptions", "topics", "behind", "lines", "max", "executions", "ready", "waiting", "fds")


class Scrape:
    """types: {family: type}; samples: {(name, ((label, value), …)): number}. Every line must be of the format 0.0.4."""

    def __init__(self, daemon):
        answer = daemon.request("GET", "/metrics", key=None)
        assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert answer.body.endswith(b"\n")
        self.types, self.helps, self.samples, family = {}, {}, {}, None
        for line in answer.body.decode().splitlines():
            if line.startswith("# HELP "):
                _, _, family, text = line.split(" ", 3)
                assert family not in self.helps and text.endswith("."), line
                self.helps[family] = text
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert name == family and name not in self.types and kind in ("counter", "gauge", "histogram"), line
                self.types[name] = kind
            else:
                self.take_sample(line, family)

    def take_sample(self, line, family):
        match = SAMPLE.match(line)
        assert match, line
        name, inner, number = match.groups()
        suffixes = ("_bucket", "_sum", "_count") if self.types[family] == "histogram" else ("",)
        assert name in [family + suffix for suffix in suffixes], line  # samples stand below their family
        labels = tuple(LABEL.findall(inner or ""))
        assert LABEL.sub("", inner or "") == "" and len(dict(labels)) == len(labels), line
        assert (name, labels) not in self.samples, f"twice: {line}"
        self.samples[name, labels] = float(number)

    def __getitem__(self, name):
        return self.samples[name, ()]

    def sum(self, name, **labels):
        return sum(n for (sample, having), n in self.samples.items() if sample == name and labels.items() <= dict(having).items())


def test_metrics__conventions__kept(daemon):
    daemon.finish("echo something to count")
    scrape = Scrape(daemon)
    assert set(scrape.helps) == set(scrape.types)
    for name, kind in scrape.types.items():
        assert re.fullmatch(r"(tailgate|process)_[a-z_]+", name)
        assert (kind == "counter") == name.endswith("_total"), name
        assert kind != "histogram" or name.endswith("_seconds"), name
        assert name.endswith(UNITS) or name.split("_")[-1] in COUNTS, name
        assert any(sample.startswith(name) for sample, _ in scrape.samples), f"{name} has no sample"
        assert all(number >= 0 for (sample, _), number in scrape.samples.items() if sample.startswith(name))


def test_metrics__histograms_are_cumulative(daemon):
    scrape = Scrape(daemon)
    series = {}
    for (name, labels), number in scrape.samples.items():
        if name.endswith("_bucket"):
            bound = float(dict(labels)["le"].replace("+Inf", "inf"))
            series.setdefault((name[:-7], labels[:-1]), []).append((bound, number))
    assert {family for family, _ in series} == {name for name, kind in scrape.types.items() if kind == "histogram"}
    for (family, labels), buckets in series.items():
        assert buckets == sorted(buckets) and [n for _, n in buckets] == sorted(n for _, n in buckets)
        assert buckets[-1] == (float("inf"), scrape.samples[f"{family}_count", labels])
        assert (f"{family}_sum", labels) in scrape.samples


def test_metrics__two_readers_of_1000_lines__counted(own_daemon):
    one = own_daemon()
    before = Scrape(one)
    gate = Gate(one)
    run = one.run(f"{gate.wait}; seq 1000")
    one.wait_status(run["execution_id"], ["RUNNING"])
    readers = [Reader(one, run["execution_id"]) for _ in range(2)]
    for reader in readers:
        while "live" not in reader.types():
            reader.step()
    gate.open()
    for reader in readers:
        reader.read_to_end()
    after = Scrape(one)

    def rise(name):
        return after[name] - before[name]

    size = sum(len(str(n)) for n in range(1, 1001))
    assert rise("tailgate_committed_lines_total") == 1000
    assert rise("tailgate_committed_bytes_total") == size
    assert rise("tailgate_sent_lines_total") == 2000
    assert rise("tailgate_sent_bytes_total") > 2 * size
    assert rise("tailgate_streams_opened_total") == 2
    assert rise("tailgate_commit_to_send_seconds_count") >= 2
    assert rise("tailgate_commit_seconds_count") >= 2  # RUNNING, and the end with the lines
    assert rise("process_cpu_seconds_total") > 0
    assert after["tailgate_dropped_lines_total"] == 0
    assert after["tailgate_readers_behind"] == 0
    assert after["tailgate_loop_turn_seconds_count"] > 0
    assert after["process_open_fds"] > 10 and after["process_resident_memory_bytes"] > 1 << 20
    assert after.sum("tailgate_database_wait_seconds_count", pool="api") > 0
    assert after.sum("tailgate_database_wait_seconds_count", pool="writer") > 0


def test_metrics__requests__by_pattern_never_by_path(own_daemon):
    one = own_daemon()
    i = one.finish("true")["execution_id"]
    for _ in range(5):
        one.status(i)
    for path in ("/api/v1/executions/0000512b00000000aabbccddeeff0011", "/api/v1/executions/unknown", f"/{i}", f"/x/{i}"):
        assert one.request("GET", path).status == 404
    assert one.request("GET", f"/api/v1/executions/{i}", key="wrong").status == 401
    scrape = Scrape(one)
    status = {"route": "/api/v1/executions/{id}/status", "method": "GET"}
    assert scrape.sum("tailgate_http_requests_total", **status, code="2xx") >= 6
    assert scrape.sum("tailgate_http_requests_total", route="/api/v1/executions/{id}", code="4xx") == 3
    assert scrape.sum("tailgate_http_requests_total", route="/api/v1/run", method="POST", code="2xx") == 1
    assert scrape.sum("tailgate_http_requests_total", route="unmatched", code="4xx") == 2
    assert scrape.sum("tailgate_http_request_duration_seconds_count", **status) == scrape.sum("tailgate_http_requests_total", **status)
    values = {value for _, labels in scrape.samples for _, value in labels}
    assert not [value for value in values if i in value or "unknown" in value]


def documented():
    """{family: (labels, type)} of the page's table."""
    rows = re.findall(r"^\| `([a-z_]+)(?:\{([a-z,]+)\})?` \| (\w+) \| (.+) \|$", (DOCS / "metrics.md").read_text(), re.M)
    return {name: (tuple(labels.split(",")) if labels else (), kind, text) for name, labels, kind, text in rows}


def test_metrics__page_lists_each_with_type_labels_and_help(daemon):
    daemon.finish("true")
    scrape = Scrape(daemon)
    listed = documented()
    assert {name: kind for name, (_, kind, _) in listed.items()} == scrape.types
    assert {name: text for name, (_, _, text) in listed.items()} == scrape.helps
    for (sample, labels), _ in scrape.samples.items():
        family = re.sub(r"_(bucket|sum|count)$", "", sample) if sample not in scrape.types else sample
        assert tuple(name for name, _ in labels if name != "le") == listed[family][0], sample


def test_dashboard__every_metric_exists_and_every_one_is_shown(daemon):
    dashboard = json.loads((DOCS / "grafana-dashboard.json").read_text())
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert [v["type"] for v in dashboard["templating"]["list"] if v["name"] == "datasource"] == ["datasource"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    types, shown = Scrape(daemon).types, set()
    for panel in panels:
        assert panel["datasource"]["uid"] == "${datasource}" and panel["targets"], panel["title"]
        for target in panel["targets"]:
            for name in re.findall(r"\b((?:tailgate|process)_[a-z_]+)", target["expr"]):
                family = name if name in types else re.sub(r"_(bucket|sum|count)$", "", name)
                assert family in types, (panel["title"], name)
                shown.add(family)
                if types[family] == "histogram":
                    assert f"rate({name}" in target["expr"] and "histogram_quantile(" in target["expr"], target["expr"]
                elif types[family] == "counter" and panel["type"] == "timeseries":
                    assert f"rate({name}" in target["expr"], target["expr"]
    assert shown == set(types) == set(documented())
    corners = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in dashboard["panels"]]
    assert len(set(corners)) == len(corners) and all(p["gridPos"]["x"] + p["gridPos"]["w"] <= 24 for p in dashboard["panels"])
