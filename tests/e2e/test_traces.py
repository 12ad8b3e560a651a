"""Traces: what comes in goes on to guests and to those they call, and the spans reach a collector."""

import json
import time

import pytest
from collector import Collector
from test_metrics import Scrape
from test_outgoing_http import CALLER, Service
from wat import guest

from support import App, Server, serving, until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"

# Answers with its event's attributes.
ATTRIBUTES = (
    CALLER.replace('"http/new"', '"event/attributes.json"')
    .replace("(i32.const 128) (i32.const 8)", "(i32.const 128) (i32.const 21)")
    .replace("(i64.const 66)", "(i64.const 2)")
)


class Node(Server):
    """Serves an app whose traces go to a collector."""

    def __init__(self, folder, collector, *options):
        service = options[0].url if options and isinstance(options[0], Service) else "http://127.0.0.1:1"
        options = [option for option in options if not isinstance(option, Service)]
        app = App(folder / "app", "shop")
        app.wat("page", guest(), 'grants = { kv = ["carts:rw"] }').wat("bad", guest(trap=True))
        app.wat("caller", CALLER, f'grants = {{ http = ["{service}", "{collector.url.removesuffix("/v1/traces")}"] }}')
        app.wat("attributes", ATTRIBUTES)
        for method, path, module in (
            ("GET", "/", "page"),
            ("GET", "/bad", "bad"),
            ("POST", "/call", "caller"),
            ("GET", "/item/:sku", "attributes"),
        ):
            app.route(f"{method} {path}", module)
        more = ["--admin", "127.0.0.1:0", "--state", folder / "state", "--shards", "1"]
        super().__init__(["serve", app.folder, "--port", "0", *more, "--otlp", collector.url, *options])
        self.url = f"http://127.0.0.1:{self.admin_port}"
        self.token = (folder / "state" / "token").read_text().strip()

    def scrape(self):
        return Scrape(self.url, self.token)


@pytest.fixture
def collector():
    with serving(Collector()) as made:
        yield made


@pytest.fixture
def service():
    with serving(Service()) as made:
        yield made


def named(spans, name):
    (found,) = [span for span in spans if span["name"] == name]
    return found


def test_a_request_its_turn_and_its_call_are_one_trace(tmp_path, collector, service):
    with Node(tmp_path, collector, service, "--allow-egress", "127.0.0.1") as node:
        message = f"POST {service.url}/orders?token=secret HTTP/1.1\r\n\r\nhi"
        headers = {"traceparent": TRACEPARENT, "tracestate": "vendor=1"}
        status, _, body = node.request("POST", "/call?key=secret", body=message, headers=headers)
        assert status == 200 and b"201" in body
        spans = collector.wait_for(3)
        request, turn, call = (named(spans, name) for name in ("POST /call", "turn", "POST"))
        assert {span["traceId"] for span in spans} == {TRACE}
        assert {span["traceState"] for span in spans} == {"vendor=1"}
        assert request["parentSpanId"] == PARENT
        assert turn["parentSpanId"] == request["spanId"]
        assert call["parentSpanId"] == turn["spanId"]
        assert (request["kind"], turn["kind"], call["kind"]) == (2, 1, 3)
        assert request["attributes"]["http.response.status_code"] == 200
        assert request["attributes"]["http.route"] == "/call"
        assert turn["attributes"]["carrel.app"] == "shop"
        assert turn["attributes"]["carrel.module"] == "caller"
        assert call["attributes"]["server.port"] == service.server_port
        assert call["attributes"]["http.response.status_code"] == 201
        assert "secret" not in json.dumps(spans)
        seen = {name.lower(): value for name, value in service.seen[0][2].items()}
        assert seen["traceparent"] == f"00-{TRACE}-{call['spanId']}-01"
        assert seen["tracestate"] == "vendor=1"
        assert collector.resources[0]["service.name"] == "carrel"
        assert node.stop() == 0


def test_a_guest_is_told_where_it_stands(tmp_path, collector):
    with Node(tmp_path, collector) as node:
        told = json.loads(node.get("/item/7", headers={"traceparent": TRACEPARENT, "tracestate": "a=1"})[2])
        turn = named(collector.wait_for(2), "turn")
        assert told["traceparent"] == f"00-{TRACE}-{turn['spanId']}-01"
        assert told["tracestate"] == "a=1"
        for wrong in ("", "x", TRACEPARENT.upper(), f"00-{'0' * 32}-{PARENT}-01", TRACEPARENT + "-"):
            told = json.loads(node.get("/item/7", headers={"traceparent": wrong, "tracestate": "a=1"})[2])
            assert TRACE not in told["traceparent"]
            assert "tracestate" not in told
        assert node.stop() == 0


def test_a_turn_tells_when_it_was_kept_and_why_it_failed(tmp_path, collector):
    with Node(tmp_path, collector) as node:
        assert node.get("/")[0] == 200
        turn = named(collector.wait_for(2), "turn")
        assert turn["events"] == ["admitted", "run", "ended", "committed", "durable"]
        assert "status" not in turn
        collector.spans.clear()
        assert node.get("/bad")[0] == 502
        spans = collector.wait_for(2)
        assert named(spans, "turn")["status"] == {"code": 2, "message": "guest_trapped"}
        assert named(spans, "GET /bad")["attributes"]["http.response.status_code"] == 502
        assert named(spans, "GET /bad")["status"]["code"] == 2
        assert "parentSpanId" not in named(spans, "GET /bad")
        assert node.stop() == 0


def test_who_asks_decides_and_else_the_ratio(tmp_path, collector, service):
    with Node(tmp_path, collector, service, "--allow-egress", "127.0.0.1", "--trace-ratio", "0") as node:
        for _ in range(5):
            assert node.get("/")[0] == 200
        told = json.loads(node.get("/item/7")[2])
        assert told["traceparent"].endswith("-00")
        message = f"POST {service.url}/orders HTTP/1.1\r\n\r\n"
        node.request("POST", "/call", body=message, headers={"traceparent": TRACEPARENT[:-2] + "00"})
        assert service.seen[0][2]["traceparent"].startswith(f"00-{TRACE}-")
        assert service.seen[0][2]["traceparent"].endswith("-00")
        assert node.get("/", headers={"traceparent": TRACEPARENT})[0] == 200
        spans = collector.wait_for(2)
        assert {span["traceId"] for span in spans} == {TRACE}
        assert node.stop() == 0
        assert len(collector.spans) == 2


def test_what_a_guest_says_of_the_trace_itself_stays(tmp_path, collector, service):
    with Node(tmp_path, collector, service, "--allow-egress", "127.0.0.1") as node:
        own = "00-11111111111111111111111111111111-2222222222222222-01"
        message = f"POST {service.url}/ HTTP/1.1\r\ntraceparent: {own}\r\n\r\n"
        assert node.request("POST", "/call", body=message)[0] == 200
        assert service.seen[0][2]["traceparent"] == own
        assert node.stop() == 0


def test_a_collector_that_does_not_answer_holds_up_nothing(tmp_path, collector):
    collector.answer = "hang"
    with Node(tmp_path, collector) as node:
        begin = time.monotonic()
        for _ in range(1200):
            assert node.get("/")[0] == 200
        # The first batch is on its way for five seconds; beyond the bound the others are dropped.
        assert time.monotonic() - begin < 60
        until(lambda: node.scrape().value("carrel_trace_spans_total", result="failed") > 0)
        collector.answer = 200
        assert node.get("/item/7")[0] == 200
        scrape = node.scrape()
        assert scrape.value("carrel_trace_spans_total", result="failed") <= 2 * 2048
        assert node.stop() == 0


def test_a_collector_that_refuses_is_counted_and_what_waits_is_sent_at_the_end(tmp_path, collector):
    collector.answer = 503
    with Node(tmp_path, collector) as node:
        assert node.get("/")[0] == 200
        until(lambda: node.scrape().value("carrel_trace_spans_total", result="failed") == 2)
        collector.answer = 200
        assert node.get("/item/7")[0] == 200
        assert node.stop() == 0
        assert {span["name"] for span in collector.wait_for(2)} == {"GET /item/:sku", "turn"}


def test_guests_may_not_call_the_collector(tmp_path, collector):
    with Node(tmp_path, collector) as node:
        message = f"POST {collector.url} HTTP/1.1\r\n\r\n{{}}"
        assert b"errno 63" in node.request("POST", "/call", body=message)[2]
        assert {path for path, _, _ in collector.requests} <= {"/v1/traces"}
        assert all(size > 2 for _, _, size in collector.requests)
        assert node.stop() == 0


def test_headers_for_the_collector_come_from_a_file(tmp_path, collector):
    headers = tmp_path / "otlp.headers"
    headers.write_text("# of the tenant\nauthorization=Bearer s3cret\n")
    with Node(tmp_path, collector, "--otlp-headers", headers) as node:
        assert node.get("/")[0] == 200
        collector.wait_for(2)
        assert collector.requests[0][1]["authorization"] == "Bearer s3cret"
        assert "s3cret" not in node.log
        assert node.stop() == 0
