"""Calls of components to the outside, of wasi:http 0.2 and 0.3."""

import concurrent.futures
import contextlib
import http.server
import json
import socketserver
import time

import pytest
from web_component import WEB

from support import GUESTS, App, Server, chunks_of, serving

WEB3 = GUESTS / "web3.wasm"
pytestmark = pytest.mark.skipif(not WEB.is_file(), reason="the component is not built")


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers with the path asked for, in two pieces; /slow takes its time, /gone says nothing."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append(dict(self.headers))
        if self.path == "/gone":
            self.close_connection = True
            return
        answer = f"you asked for {self.path}\n".encode() * 2
        self.send_response(203)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer[: len(answer) // 2])
        self.wfile.flush()
        time.sleep(0.05 if self.path == "/slow" else 0)
        self.wfile.write(answer[len(answer) // 2 :])

    def log_message(self, *_):
        pass


def test_a_granted_call_goes_out_and_its_answer_streams_back(tmp_path):
    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    service.seen = []
    with serving(service):
        here = f"127.0.0.1:{service.server_port}"
        app = App(tmp_path / "app")
        app.module("web", WEB, f'grants = {{ http = ["http://{here}", "http://127.0.0.1:1"] }}').route("/*", "web")
        more = ["--allow-egress", "127.0.0.1/32"]
        with Server(["serve", app.folder, "--port", "0", "--state", tmp_path / "state", *more]) as server:
            for path in ["/x", "/slow"]:
                assert server.get(f"/out?{here}{path}")[:3:2] == (203, f"you asked for {path}\n".encode() * 2)
            assert server.get("/out?127.0.0.1:1/")[2] == b"6"  # connection-refused
            assert server.get("/out?127.0.0.1:2/")[2] == b"15"  # HTTP-request-denied: not granted
            assert server.get(f"/out?{here}/gone")[0] == 502
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(lambda _: server.get(f"/out?{here}/slow")[0], range(40)))
            assert answers == [203] * 40
            assert server.stop() == 0
    assert all(headers["Host"] == here for headers in service.seen)


class Failing(socketserver.StreamRequestHandler):
    """Answers by the path asked for, in the ways that answers fail."""

    def handle(self):
        if self.rfile.peek(1)[:1] == b"\x16":
            return  # TLS, whose bytes may look like anything
        method, path, _ = self.rfile.readline().split(b" ", 2)
        length, chunked = 0, False
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            chunked = chunked or line.lower() == b"transfer-encoding: chunked\r\n"
        trailers = {}
        body = b"".join(chunks_of(self.rfile, trailers)) if chunked else self.rfile.read(length)
        ok = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
        half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
        answers = {
            b"/gone": b"",
            b"/garbage": b"this is no answer\r\n\r\n",
            b"/loop": b"HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n",
            b"/cut": half,
            b"/stall": half,
            b"/silent": b"",
            b"/early": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            b"/trailers": ok + b"X-Sum: 1\r\n\r\n",
            b"/cut-trailers": ok + b"X-Sum: 1",
            b"/bad-trailers": ok + b"Set-Cookie: x\r\n\r\n",
            b"/sum": b"HTTP/1.1 %d X\r\nConnection: close\r\n\r\n" % (200 if trailers == {"x-sum": "42"} else 404),
            b"/count": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%s %d" % (method, len(body)),
        }
        self.wfile.write(answers[path])
        if path in (b"/silent", b"/stall"):
            self.connection.settimeout(3)
            with contextlib.suppress(OSError):
                self.connection.recv(1)  # until the caller gives up


@pytest.fixture(scope="module")
def calling(tmp_path_factory):
    service = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Failing)
    service.daemon_threads = True
    folder = tmp_path_factory.mktemp("calls")
    with serving(service):
        here = f"127.0.0.1:{service.server_address[1]}"
        granted = [
            "http://" + here,
            "https://" + here,
            "http://127.0.0.1:1",
            "http://10.1.2.3",
            "http://no-name.invalid",
        ]
        app = App(folder / "app")
        app.module("web", WEB, f'limits = {{ time = "8s" }}\ngrants = {{ http = {json.dumps(granted)} }}').route(
            "/*", "web"
        )
        more = ["--allow-egress", "127.0.0.1/32"]
        with Server(["serve", app.folder, "--port", "0", "--state", folder / "state", *more]) as running:
            yield lambda how, what: running.get(f"/{how}?{what.replace('HERE', here)}")[:3:2]
            assert running.stop() == 0


@pytest.mark.parametrize(
    ("how", "url", "code"),
    [
        ("out", "no-name.invalid/", (1, 3)),  # DNS-error; destination-unavailable where no resolver answers
        ("out", "10.1.2.3/", (4,)),  # destination-IP-prohibited
        ("out", "127.0.0.1:1/", (6,)),  # connection-refused
        ("out", "HERE/gone", (7,)),  # connection-terminated
        ("out-soon", "HERE/silent", (9,)),  # connection-read-timeout
        ("out-tls", "HERE/count", (12,)),  # TLS-protocol-error
        ("out", "127.0.0.1:2/", (15,)),  # HTTP-request-denied
        ("out", "HERE/garbage", (35,)),  # HTTP-protocol-error
        ("out", "HERE/loop", (36,)),  # loop-detected
    ],
)
def test_a_call_that_fails_says_how(calling, how, url, code):
    status, body = calling(how, url)
    assert (status, int(body) in code) == (502, True), body


@pytest.mark.parametrize(("how", "path"), [("out", "/cut"), ("out-soon", "/stall")])
def test_an_answer_that_breaks_off_does_not_end_well(calling, how, path):
    assert calling(how, "HERE" + path) == (200, b"halfcut")


def test_informational_answers_are_read_over(calling):
    assert calling("out", "HERE/early") == (200, b"ok")


def test_an_answers_trailers_reach_it(calling):
    assert calling("out", "HERE/trailers") == (200, b"ok")
    assert calling("out-sum", "HERE/trailers") == (200, b"ok 1")
    assert calling("out-sum", "HERE/early") == (200, b"ok no trailers")
    assert calling("out-sum", "HERE/cut-trailers") == (200, b"okcut no trailers")
    assert calling("out", "HERE/bad-trailers") == (200, b"okcut")


def test_a_call_has_a_body(calling):
    assert calling("out-body", "HERE/count") == (200, b"POST 409600")
    assert calling("out-large", "HERE/count") == (200, b"POST 1228800")
    assert calling("out-sized", "HERE/count") == (200, b"POST 1228800")


def test_its_calls_go_out_and_say_how_they_fail(tmp_path):
    service = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Failing)
    service.daemon_threads = True
    with serving(service):
        here = f"127.0.0.1:{service.server_address[1]}"
        app = App(tmp_path / "app")
        granted = json.dumps(["http://" + here, "http://127.0.0.1:1"])
        app.module("web", WEB3, f"grants = {{ http = {granted} }}").route("/*", "web")
        more = ["--allow-egress", "127.0.0.1/32"]
        with Server(["serve", app.folder, "--port", "0", "--state", tmp_path / "state", *more]) as server:
            for url, words in {
                "127.0.0.1:2/": b"error 015\n",  # HTTP-request-denied
                "127.0.0.1:1/": b"error 006\n",  # connection-refused
                f"{here}/gone": b"error 007\n",  # connection-terminated
                f"{here}/garbage": b"error 035\n",  # HTTP-protocol-error
                f"{here}/loop": b"error 036\n",  # loop-detected
                f"{here}/count": b"status 200\n",
                f"{here}/sum": b"status 404\n",
            }.items():
                assert server.get(f"/out?{url}")[:3:2] == (200, words), url
            assert server.get(f"/out-sum?{here}/sum")[2] == b"status 200\n", "its trailers are sent"
            assert server.stop() == 0
