"""A small OpenTelemetry collector: takes OTLP over HTTP as JSON, checks its form, keeps the spans."""

import http.server
import json
import re
import threading
import time

HEX32, HEX16, NUMBER = (re.compile(pattern) for pattern in (r"[0-9a-f]{32}", r"[0-9a-f]{16}", r"[0-9]+"))


def plain(attributes):
    """{"key": ..., "value": {"intValue": "7"}} ... as a dictionary."""
    found = {}
    for attribute in attributes:
        assert set(attribute) == {"key", "value"} and len(attribute["value"]) == 1
        kind, value = next(iter(attribute["value"].items()))
        assert kind in ("stringValue", "intValue") and isinstance(value, str)
        found[attribute["key"]] = int(value) if kind == "intValue" else value
    return found


def checked(span):
    """As opentelemetry/proto/trace/v1/trace.proto has it, in JSON: ids in hexadecimal, 64-bit numbers as texts."""
    assert HEX32.fullmatch(span["traceId"]) and HEX16.fullmatch(span["spanId"])
    assert HEX16.fullmatch(span.get("parentSpanId", "0" * 16))
    assert span["kind"] in (1, 2, 3) and span["name"]
    assert NUMBER.fullmatch(span["startTimeUnixNano"]) and NUMBER.fullmatch(span["endTimeUnixNano"])
    assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
    for event in span.get("events", []):
        assert int(span["startTimeUnixNano"]) <= int(event["timeUnixNano"]) <= int(span["endTimeUnixNano"])
    span["attributes"] = plain(span.get("attributes", []))
    span["events"] = [event["name"] for event in span.get("events", [])]
    return span


class Collector(http.server.ThreadingHTTPServer):
    """`answer`: a status, or "hang"."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = 200
        self.requests, self.spans, self.resources, self.wrong = [], [], [], []
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1/traces"

    def take(self, path, headers, body):
        with self.lock:
            self.requests.append((path, headers, len(body)))
            try:
                for resource in json.loads(body)["resourceSpans"]:
                    self.resources.append(plain(resource["resource"]["attributes"]))
                    for scope in resource["scopeSpans"]:
                        assert scope["scope"]["name"] == "carrel"
                        self.spans += [checked(span) for span in scope["spans"]]
            except (AssertionError, KeyError, ValueError) as wrong:
                self.wrong.append(f"{wrong!r}: {body[:500]}")

    def wait_for(self, count, seconds=20):
        """Spans by name, once there are that many."""
        end = time.monotonic() + seconds
        while len(self.spans) < count:
            assert time.monotonic() < end, f"{len(self.spans)} of {count} spans; {self.wrong}"
            time.sleep(0.02)
        assert not self.wrong
        with self.lock:
            return list(self.spans)

    def handle_error(self, *_):
        pass


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.server.answer == "hang":
            time.sleep(20)
            self.close_connection = True
            return
        if self.server.answer == 200:
            self.server.take(self.path, {n.lower(): v for n, v in self.headers.items()}, body)
        self.send_response(self.server.answer)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass
