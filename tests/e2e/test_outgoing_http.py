"""`/http/new`: a function calls a server on the loopback, where it may and where it may not."""

import http.server
import json
import socket
import time

import pytest

from support import App, Server, serving

# Writes the request's body into /http/new and answers with what it reads there, or with the errno.
CALLER = """(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 64) "content-type: text/plain\\n\\n")
  (data (i32.const 128) "http/new")
  (data (i32.const 160) "errno 00")
  (func $print (param $at i32) (param $size i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $size))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $fail (param $errno i32)
    (i32.store8 (i32.const 166) (i32.add (i32.const 48) (i32.div_u (local.get $errno) (i32.const 10))))
    (i32.store8 (i32.const 167) (i32.add (i32.const 48) (i32.rem_u (local.get $errno) (i32.const 10))))
    (call $print (i32.const 160) (i32.const 8)))
  ;; Copies one descriptor into another to the end; gives the errno of reading.
  (func $copy (param $from i32) (param $to i32) (result i32) (local $errno i32)
    (loop $next
      (i32.store (i32.const 16) (i32.const 4096))
      (i32.store (i32.const 20) (i32.const 4096))
      (local.set $errno (call $read (local.get $from) (i32.const 16) (i32.const 1) (i32.const 24)))
      (if (local.get $errno) (then (return (local.get $errno))))
      (if (i32.eqz (i32.load (i32.const 24))) (then (return (i32.const 0))))
      (i32.store (i32.const 20) (i32.load (i32.const 24)))
      (drop (call $write (local.get $to) (i32.const 16) (i32.const 1) (i32.const 28)))
      (br $next))
    (unreachable))
  (func (export "_start") (local $errno i32)
    (call $print (i32.const 64) (i32.const 26))
    (local.set $errno (call $open (i32.const 3) (i32.const 0) (i32.const 128) (i32.const 8) (i32.const 0)
      (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 32)))
    (if (local.get $errno) (then (call $fail (local.get $errno)) (return)))
    (drop (call $copy (i32.const 0) (i32.load (i32.const 32))))
    (local.set $errno (call $copy (i32.load (i32.const 32)) (i32.const 1)))
    (if (local.get $errno) (then (call $fail (local.get $errno))))))
"""

ACCES, REFUSED, PERM = "errno 02", "errno 14", "errno 63"


class Service(http.server.ThreadingHTTPServer):
    """Answers with what it was asked; /away redirects to `away`."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.seen = []
        self.away = ""
        self.url = f"http://127.0.0.1:{self.server_port}"


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        if self.path == "/away":
            self.send_response_only(307)
            self.send_header("location", self.server.away)
            answer = b""
        else:
            self.send_response_only(201)
            answer = b"you said " + body
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST

    def log_message(self, *_):
        pass


@pytest.fixture
def service():
    with serving(Service()) as running:
        yield running


def app_of(folder, *grants):
    listed = ", ".join(f'"{grant}"' for grant in grants)
    return App(folder, "calls").wat("caller", CALLER, f"grants = {{ http = [{listed}] }}").route("POST /", "caller")


def ask(server, message):
    """What the function read: the response, or how it failed."""
    status, _, body = server.request("POST", "/", body=message)
    assert status == 200, (status, body, server.log)
    return body.decode()


def says(server, text, seconds=20):
    """The log is written behind the answer."""
    end = time.monotonic() + seconds
    while text not in server.log:
        assert time.monotonic() < end, server.log
        time.sleep(0.02)


@pytest.fixture
def serve(tmp_path, state):
    """serve(GRANTS, ARGUMENT...): a server of one function that calls."""
    running = []

    def start(grants, *arguments):
        app = app_of(tmp_path / "app", *grants)
        place = [] if "--listen" in arguments else ["--port", "0"]
        running.append(Server(["serve", app.folder, *place, "--admin", "off", "--state", state, *arguments]))
        return running[-1]

    yield start
    for server in running:
        with server:
            assert server.stop() == 0, server.log


def test_a_granted_call_is_made_and_answered(service, serve):
    server = serve([service.url], "--allow-egress", "127.0.0.0/8")
    answer = ask(server, f"POST {service.url}/rates?x=1 HTTP/1.1\nX-Mine: yes\nHost: elsewhere\n\nhello")
    assert answer.startswith("HTTP/1.1 201 "), answer
    assert answer.endswith("\r\n\r\nyou said hello")
    method, path, headers, body = service.seen[0]
    assert (method, path, body) == ("POST", "/rates?x=1", b"hello")
    assert headers["X-Mine"] == "yes"
    assert headers["Host"] == service.url.removeprefix("http://")
    first = headers["Idempotency-Key"]
    ask(server, f"GET {service.url}/again\n\n")
    assert service.seen[1][2]["Idempotency-Key"] != first


def test_addresses_that_are_not_public_need_the_operators_leave(service, serve):
    server = serve([service.url])
    assert ask(server, f"GET {service.url}/\n\n") == PERM
    assert service.seen == []
    says(server, "--allow-egress")


def test_a_name_that_leads_to_such_an_address_needs_it_too(service, serve):
    url = f"http://localhost:{service.server_port}"
    assert ask(serve([url], "--allow-egress", "10.0.0.0/8"), f"GET {url}/\n\n") == PERM
    assert service.seen == []


def test_what_is_not_granted_is_refused(service, serve):
    server = serve(["http://127.0.0.1:9"], "--allow-egress", "127.0.0.0/8")
    assert ask(server, f"GET {service.url}/\n\n") == ACCES
    assert service.seen == []
    says(server, f"GET {service.url}")


def test_redirects_stay_within_the_grants(service, serve):
    other = Service()
    try:
        server = serve([service.url], "--allow-egress", "127.0.0.0/8")
        service.away = other.url + "/stolen"
        assert ask(server, f"POST {service.url}/away\n\nsecret") == ACCES
        assert other.seen == []
        says(server, f"redirects to POST {other.url}")
        service.away = "/here"
        assert ask(server, f"POST {service.url}/away\n\nkept").endswith("you said kept")
    finally:
        other.server_close()


def test_this_server_is_not_called_even_with_leave(serve):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = f"http://127.0.0.1:{port}"
    server = serve([own], "--allow-egress", "127.0.0.0/8", "--listen", f"127.0.0.1:{port}")
    assert ask(server, f"GET {own}/\n\n") == PERM
    says(server, "this node's own")


def test_nobody_who_answers_is_an_errno(serve):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # it does not listen
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        server = serve([url], "--allow-egress", "127.0.0.0/8")
        assert ask(server, f"GET {url}/\n\n") == REFUSED


def test_one_turn_from_the_shell_calls_within_its_grants(service, run_carrel, tmp_path):
    app = app_of(tmp_path / "app", service.url)
    message = f"POST {service.url}/rates HTTP/1.1\n\nhello"
    refused = run_carrel("invoke", app.folder, "--data", message)
    assert (refused.returncode, refused.stdout.strip()) == (0, PERM)
    assert "--allow-egress" in refused.stderr
    assert service.seen == []
    loopback = ("--allow-egress", "127.0.0.0/8")
    called = run_carrel("invoke", app.folder, "--data", message, *loopback)
    assert called.stdout.startswith("HTTP/1.1 201 ")
    assert called.stdout.endswith("you said hello")
    elsewhere = run_carrel("invoke", app.folder, "--data", "GET http://127.0.0.1:9/\n\n", *loopback)
    assert elsewhere.stdout.strip() == ACCES
    assert len(service.seen) == 1


def test_a_recorded_turn_is_a_case_with_its_calls(service, run_carrel, tmp_path):
    app = app_of(tmp_path / "app", service.url)
    service.away = "/rates"
    loopback = ("--allow-egress", "127.0.0.0/8")
    for name, message in {
        "post": f"POST {service.url}/away HTTP/1.1\nAuthorization: Basic cTpx\n\nhello",
        "bytes": f"POST {service.url}/rates HTTP/1.1\n\n\xff",
        "refused": f"GET http://127.0.0.1:{port_of_nobody()}/\n\n",
    }.items():
        (tmp_path / name).write_bytes(message.encode("latin-1"))
        case = app.folder / "tests" / name
        recorded = run_carrel(
            "invoke", app.folder, "--data", f"@{tmp_path / name}", "--record", case, *loopback, input=b"", text=False
        )
        assert recorded.returncode == 0, recorded.stderr
    text = (app.folder / "tests/post/case.toml").read_text()
    assert text.count("[[http]]") == 2, "the redirect's as well"
    assert "Basic" not in text.split("[[http]]", 1)[1]
    assert "Not recorded" in (app.folder / "tests/bytes/case.toml").read_text()
    seen = len(service.seen)
    tested = run_carrel("test", app.folder, "--json")
    verdicts = {case["name"].split("/")[1]: case["passed"] for case in json.loads(tested.stdout)["cases"]}
    assert verdicts == {"post": True, "bytes": False, "refused": True}
    assert len(service.seen) == seen, "a case calls nobody"


def port_of_nobody():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        return silent.getsockname()[1]


def test_a_range_that_is_none_is_said(run_carrel, tmp_path):
    app = app_of(tmp_path / "app", "http://127.0.0.1:9")
    ended = run_carrel("serve", app.folder, "--port", "0", "--allow-egress", "127.0.0.0/99")
    assert ended.returncode != 0
    assert "--allow-egress" in ended.stderr
