"""`GET /metrics`: what Prometheus reads, held to its documentation, and figures that are right."""

import json
import re
import time

import pytest
import requests
from deploying import Node, app_of
from prometheus_client.parser import text_string_to_metric_families
from wat import guest

from support import ROOT, App, Server, until

DOCUMENT = ROOT / "docs/reference/metrics.md"
DASHBOARD = ROOT / "docs/grafana/carrel.json"
TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Scrape:
    """One answer, as a parser of Prometheus' own understands it."""

    def __init__(self, url, token):
        answer = requests.get(f"{url}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=10)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == TYPE
        self.text = answer.text
        self.families = list(text_string_to_metric_families(self.text))

    def value(self, name, **labels):
        """The sum of the samples that have these labels."""
        samples = [sample for family in self.families for sample in family.samples]
        return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())


def full_name(family):
    """As it is written: the parser leaves out the end that all counters have."""
    return family.name + "_total" if family.type == "counter" else family.name


def documented():
    """Name -> (type, labels) of the tables."""
    found = {}
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) < 6 or cells[2] not in ("counter", "gauge", "histogram"):
            continue
        labels = set(re.findall(r"`(\w+)`", cells[3].split(":")[0]))
        for name in re.findall(r"`(\w+)`", cells[1]):
            assert name not in found, name
            found[name] = (cells[2], labels)
    return found


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    folder = tmp_path_factory.mktemp("metrics")
    app = App(folder / "app", "shop")
    app.wat("page", guest(), 'grants = { kv = ["carts:rw"] }').wat("bad", guest(trap=True))
    app.route("GET /", "page").route("GET /bad", "bad")
    with Server(["serve", app.folder, "--port", "0", "--admin", "127.0.0.1:0", "--state", folder / "state"]) as server:
        server.url = f"http://127.0.0.1:{server.admin_port}"
        server.token = (folder / "state" / "token").read_text().strip()
        yield server
        assert server.stop() == 0


def test_what_is_scraped_is_what_is_documented(node):
    for path in ("/", "/bad", "/missing"):
        node.get(path)
    scrape = Scrape(node.url, node.token)
    known = documented()
    assert len(known) > 50
    assert {full_name(family): family.type for family in scrape.families} == {n: kind for n, (kind, _) in known.items()}
    assert all(family.documentation for family in scrape.families)
    for family in scrape.families:
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == known[full_name(family)][1], sample.name


def test_no_family_or_sample_is_there_twice_and_histograms_grow(node):
    node.get("/")
    scrape = Scrape(node.url, node.token)
    names = [family.name for family in scrape.families]
    assert len(names) == len(set(names))
    for family in scrape.families:
        keys = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in family.samples]
        assert len(keys) == len(set(keys)), family.name
        if family.type != "histogram":
            continue
        last = {}
        for sample in family.samples:
            series = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
            if sample.name.endswith("_bucket"):
                assert sample.value >= last.get(series, 0)
                last[series] = sample.value
            elif sample.name.endswith("_count"):
                assert sample.value == last[series]


def test_what_has_happened_is_counted_once(node):
    before = Scrape(node.url, node.token)
    for _ in range(7):
        assert node.get("/")[0] == 200
    for _ in range(3):
        assert node.get("/bad")[0] == 502
    assert node.get("/missing")[0] == 404

    def grown(name, **labels):
        return after.value(name, **labels) - before.value(name, **labels)

    until(
        lambda: (
            Scrape(node.url, node.token).value("carrel_app_turns_total") - before.value("carrel_app_turns_total") == 10
        )
    )
    after = Scrape(node.url, node.token)
    count = "carrel_http_request_duration_seconds_count"
    assert grown(count, listener="apps", **{"class": "2xx"}) == 7
    assert grown(count, listener="apps", **{"class": "5xx"}) == 3
    assert grown(count, listener="apps", **{"class": "4xx"}) == 1
    assert grown(count, listener="data") == 0
    assert grown("carrel_turns_total", result="ok") == 7
    assert grown("carrel_turns_total", result="guest_trapped") == 3
    assert grown("carrel_turn_duration_seconds_count") == 10
    assert grown("carrel_app_turns_total", tenant="shop", app="shop") == 10
    assert grown("carrel_app_turns_failed_total", tenant="shop", app="shop") == 3
    assert grown("carrel_app_cpu_seconds_total", tenant="shop") > 0
    assert grown("carrel_guest_cpu_seconds_total") > 0
    assert grown("carrel_http_sent_bytes_total", listener="apps") > 0
    assert after.value("carrel_turns_running") == 0
    assert after.value("carrel_turn_slots") >= 4
    assert after.value("carrel_ready") == after.value("carrel_store_up") == 1
    assert after.value("process_resident_memory_bytes") > 1 << 20
    assert abs(after.value("process_start_time_seconds") - time.time()) < 600
    assert 3 < after.value("process_open_fds") < after.value("process_max_fds")


def test_a_failed_login_is_counted(node):
    before = Scrape(node.url, node.token)
    for headers in ({}, {"Authorization": "Bearer nobody"}):
        assert requests.get(f"{node.url}/metrics", headers=headers, timeout=10).status_code == 401
    after = Scrape(node.url, node.token)
    grown = after.value("carrel_auth_failures_total", listener="admin") - before.value(
        "carrel_auth_failures_total", listener="admin"
    )
    assert grown == 2


def test_a_token_that_may_only_read_is_enough_and_one_of_a_tenant_is_not(node):
    headers = {"Authorization": f"Bearer {node.token}"}
    made = requests.post(f"{node.url}/v1/tokens", headers=headers, json={"verbs": ["read"]}, timeout=10)
    assert Scrape(node.url, made.json()["token"]).families
    made = requests.post(f"{node.url}/v1/tenants/shop/tokens", headers=headers, json={"verbs": ["read"]}, timeout=10)
    foreign = {"Authorization": f"Bearer {made.json()['token']}"}
    assert requests.get(f"{node.url}/metrics", headers=foreign, timeout=10).status_code == 403


def test_modules_that_are_compiled_again_come_from_the_cache(tmp_path):
    with Node(tmp_path / "state") as node:
        assert node.run("tenant", "create", "acme").returncode == 0
        node.deploy(app_of(tmp_path / "app", "one"), "--tenant", "acme")
        scrape = Scrape(node.url, node.token)
        assert scrape.value("carrel_code_cache_lookups_total", result="miss") == 1
        assert scrape.value("carrel_code_compile_duration_seconds_count") == 1
        assert scrape.value("carrel_code_compile_duration_seconds_sum") > 0
        assert scrape.value("carrel_store_commits_total") > 0
        assert scrape.value("carrel_store_sync_duration_seconds_count") > 0
        assert node.server.stop() == 0
    with Node(tmp_path / "state") as node:
        scrape = Scrape(node.url, node.token)
        assert scrape.value("carrel_code_cache_lookups_total", result="miss") == 0
        assert scrape.value("carrel_code_cache_lookups_total", result="hit") >= 1


def test_the_dashboard_asks_for_metrics_that_there_are(node):
    node.get("/")
    samples = {s.name for family in Scrape(node.url, node.token).families for s in family.samples}
    known = documented()
    names = samples | set(known)
    dashboard = json.loads(DASHBOARD.read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    queries += [
        variable["query"]["query"] for variable in dashboard["templating"]["list"] if variable["type"] == "query"
    ]
    asked = {name for query in queries for name in re.findall(r"\b(?:carrel|process)_\w+", query)}
    assert len(asked) > 25
    assert asked <= names, asked - names
    labels = set().union(*(labels for _, labels in known.values())) | {"le", "job", "instance"}
    for query in queries:
        for group in re.findall(r"\bby \(([^)]*)\)", query):
            assert {label.strip() for label in group.split(",")} <= labels, query
    for panel in dashboard["panels"]:
        assert panel["type"] == "row" or panel["description"], panel["title"]
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
