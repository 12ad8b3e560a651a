"""Components of wasi:http/proxy and wasi:cli/command, served like modules."""

import concurrent.futures
import contextlib
import http.client
import http.server
import json
import socket
import socketserver
import time

import pytest

from support import GUESTS, App, Server, chunks_of, serving

WEB = GUESTS / "web.wasm"
pytestmark = pytest.mark.skipif(not WEB.is_file(), reason="the component is not built")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("components")
    app = App(folder / "app")
    app.module(
        "web", WEB, 'config = { GREETING = "good day" }\nlimits = { cpu = "300ms", time = "2s", memory = "8MiB" }'
    )
    app.route("/*", "web")
    with Server(["serve", app.folder, "--port", "0", "--state", folder / "state"]) as running:
        yield running
        assert running.stop() == 0


def test_a_component_answers_a_request(server):
    status, headers, body = server.get("/hello")
    assert (status, body) == (200, b"hello\n")
    assert headers["content-type"] == "text/plain"
    # Of a reply that took its guest more than a tick the beginning has left before its length was known.
    assert any(server.get("/hello")[1].get("Content-Length") == "6" for _ in range(10))


def test_its_status_is_the_replys(server):
    assert server.get("/status?418")[0] == 418
    assert server.problem("GET", "/status?100")[0] == 502


def test_a_request_body_reaches_it_whole(server):
    body = bytes(range(256)) * 4096
    assert server.request("POST", "/echo", body=body)[2] == body
    assert server.request("POST", "/echo", body=b"")[2] == b""


def test_a_body_streams_both_ways(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        answer = connection.makefile("rb")
        for piece in (b"one", b"three", b"fifteen"):
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            while True:
                line = answer.readline()
                if line == b"%x\r\n" % len(piece):
                    assert answer.readline().rstrip() == piece
                    break
        connection.sendall(b"0\r\n\r\n")
        assert answer.readline() == b"0\r\n"


TAKES = b"Host: x\r\nTE: trailers\r\nConnection: close\r\n"
SUMMED = b"POST /sum HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"


def test_a_requests_trailers_reach_it(server):
    assert server.raw(SUMMED + b"4\r\nsome\r\n0\r\nX-Other: 1\r\nX-Sum: 17\r\n\r\n").endswith(b"\r\n\r\n17")
    assert server.raw(SUMMED + b"0\r\nX-Other: 1\r\n\r\n").endswith(b"\r\n\r\nno sum")
    assert server.raw(SUMMED + b"4\r\nsome\r\n0\r\n\r\n").endswith(b"\r\n\r\nno trailers")
    assert server.request("POST", "/sum", body=b"x" * 100_000)[2] == b"no trailers"
    assert server.get("/sum")[2] == b"no trailers"


def test_its_trailers_reach_a_client_that_takes_them(server):
    got = server.raw(b"GET /trailers HTTP/1.1\r\n" + TAKES + b"\r\n")
    assert got.startswith(b"HTTP/1.1 200 ") and got.endswith(b"\r\n\r\n4\r\nbody\r\n0\r\nx-sum: 42\r\n\r\n"), got
    got = server.raw(b"GET /trailers HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"x-sum" not in got and got.endswith(b"\r\n\r\nbody"), got


def test_a_trailer_that_belongs_into_the_head_fails_the_reply(server):
    got = server.raw(b"GET /bad-trailers HTTP/1.1\r\n" + TAKES + b"\r\n")
    assert b"set-cookie" not in got and b" 502 " in got.split(b"\r\n")[0], got
    got = server.raw(SUMMED + b"4\r\nsome\r\n0\r\nContent-Length: 17\r\n\r\n")
    assert b" 200 " not in got.split(b"\r\n")[0], got


def test_a_reply_leaves_while_the_component_waits(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/drip?300")
    started = time.perf_counter()
    answer = connection.getresponse()
    assert answer.read(5) == b"drip\n"
    assert time.perf_counter() - started < 0.25
    assert answer.read() == b"drip\ndrip\n"


def test_a_large_reply_waits_for_a_slow_reader(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"GET /big?2000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        time.sleep(0.3)
        received = 0
        while chunk := connection.recv(65536):
            received += len(chunk)
        assert received > 2000 * 4096


def test_files_and_configuration_are_those_of_modules(server):
    assert b'"path": "/file"' in server.get("/file?event/attributes.json")[2]
    assert server.get("/file?config/GREETING")[2] == b"good day"
    assert server.get("/environment")[2] == b"GREETING=good day\n"
    assert server.get("/folder?/config")[2] == b"" or server.get("/folder?config")[2] == b"GREETING\n"
    assert server.get("/put?tmp/x")[2] == b"0"
    assert server.get("/file?tmp/x")[0] == 404  # another turn's
    assert server.get("/file?../etc/passwd")[0] == 404


def test_timers_are_exact_enough(server):
    started = time.perf_counter()
    assert server.get("/sleep?50")[2] == b"slept\n"
    assert 0.05 <= time.perf_counter() - started < 0.5


def said(server, text, seconds=10):
    """The log is written behind the replies."""
    until = time.monotonic() + seconds
    while text not in server.log and time.monotonic() < until:
        time.sleep(0.01)
    return text in server.log


def test_what_it_prints_goes_to_its_log(server):
    assert server.get("/print")[2] == b"ok\n"
    assert said(server, "printed by a component")


def test_sockets_are_denied(server):
    assert server.get("/socket")[2] == b"denied"


def test_without_a_grant_nothing_is_called(server):
    assert server.get("/out?127.0.0.1:1/x")[:3:2] == (502, b"15")  # HTTP-request-denied


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/spin", 504, "guest_cpu_limit"),
        ("/poll-forever", 504, None),
        ("/sleep?60000", 504, "guest_timeout"),
        ("/handles-forever", 502, "guest_trapped"),
        ("/trap", 502, "guest_trapped"),
        ("/silent", 502, "guest_bad_reply"),
        ("/drop-twice", 502, "guest_trapped"),
        ("/wild-handle", 502, "guest_trapped"),
        ("/lying-list", 502, "guest_trapped"),
        ("/error", 502, "guest_bad_reply"),
        ("/too-much-at-once", 502, "guest_trapped"),
    ],
)
def test_who_misbehaves_is_told_from_who_does_not(server, path, status, code):
    got, problem = server.problem("GET", path)
    assert got == status, problem
    assert code is None or problem["code"] == code
    assert server.get("/hello")[2] == b"hello\n"


@pytest.mark.parametrize("path", ["/trap-late", "/wrong-length", "/twice"])
def test_a_reply_that_fails_in_the_middle_is_no_whole_reply(server, path):
    raw = server.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert b" 502 " in raw.split(b"\r\n")[0] or not raw.endswith(b"0\r\n\r\n")


def test_a_body_that_was_never_finished_ends(server):
    assert server.get("/unfinished")[2] == b"started\n"


def test_memory_has_a_limit(server):
    pages = int(server.get("/grow")[2])
    assert 64 <= pages <= 128


def test_endless_loops_leave_others_their_share(server):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        spinning = [pool.submit(server.problem, "GET", "/spin") for _ in range(2)]
        started = time.perf_counter()
        for _ in range(20):
            assert server.get("/hello")[2] == b"hello\n"
        assert time.perf_counter() - started < 2
        assert [one.result()[0] for one in spinning] == [504, 504]


def test_a_client_that_leaves_cancels_its_turn(server):
    for path in ["/spin", "/sleep?1500", "/drip?500", "/big?100000", "/echo"]:
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
                method = "POST" if path == "/echo" else "GET"
                more = "Content-Length: 100000\r\n" if path == "/echo" else ""
                connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode())
                time.sleep(0.01)
    assert server.get("/hello")[2] == b"hello\n"


KEYVALUE = GUESTS / "keyvalue.wasm"


@pytest.fixture(scope="module")
def stateful(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stateful-components")
    app = App(folder / "app")
    app.module("kv", KEYVALUE, 'config = { COLOUR = "blue" }\ngrants = { kv = ["things:rw", "shown:r"] }')
    app.module("web", WEB, 'grants = { kv = ["things:rw"], counters = ["hits:rw"] }')
    app.route("/*", "web")
    for operation in ["open", "get", "set", "delete", "exists", "keys", "increment", "swap", "config", "log", "many"]:
        app.route(f"/{operation}", "kv")
    for operation in ["old-increment", "late-swap", "set-and-trap"]:
        app.route(f"/{operation}", "kv")
    with Server(["serve", app.folder, "--port", "0", "--state", folder / "state"]) as running:
        yield running
        assert running.stop() == 0


def test_keys_are_those_of_the_modules_stores(stateful):
    def get(path):
        return stateful.get(path)[2]

    assert get("/open?things") == b"open"
    assert get("/open?shown") == b"open"
    assert get("/open?others") == b"no-such-store"
    assert get("/open?things/x") == b"no-such-store"
    assert get("/get?some/key") == b"(none)"
    assert get("/exists?some/key") == b"no"
    assert get("/set?some/key") == b"set"
    assert get("/get?some/key") == b"a value"
    assert get("/exists?some/key") == b"yes"
    assert get("/file?kv/things/some/key") == b"a value"  # another module's view of it
    assert get("/set?.././//%") == b"set"  # odd names are names
    assert get("/get?.././//%") == b"a value"
    assert sorted(get("/keys").split()) == [b".././//%", b"some/key"]
    assert get("/delete?some/key") == b"gone"
    assert get("/delete?some/key") == b"gone"
    assert get("/get?some/key") == b"(none)"
    assert get("/delete?.././//%") == b"gone"


def test_both_drafts_of_key_value_are_there(stateful):
    assert stateful.get("/increment?n")[2] == b"1"
    assert stateful.get("/old-increment?n")[2] == b"6"
    assert stateful.get("/many?n")[2] == b"n=6\nnone\n"
    assert stateful.get("/set?text")[2] == b"set"
    assert stateful.get("/increment?text")[2].startswith(b"other: ")


def test_a_swap_is_lost_when_the_value_has_changed(stateful):
    assert stateful.get("/swap?s")[2] == b"swapped"
    assert stateful.get("/get?s")[2] == b"swapped"
    assert stateful.get("/late-swap?s")[2] == b"lost"
    assert stateful.get("/get?s")[2] == b"meanwhile"


def test_what_a_failed_turn_wrote_is_not_kept(stateful):
    assert stateful.problem("GET", "/set-and-trap?lost")[0] == 502
    assert stateful.get("/get?lost")[2] == b"(none)"
    assert stateful.problem("GET", "/count-and-trap?kv/things/c")[0] == 502
    assert stateful.get("/count?kv/things/c")[2] == b"1"


def test_turns_that_meet_are_run_again(stateful):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: int(stateful.get("/increment?hot")[2]), range(200)))
    assert sorted(seen) == list(range(1, 201))


def test_a_client_that_retries_gets_the_first_reply(stateful):
    once = {"Idempotency-Key": "k1"}
    first = stateful.request("POST", "/count?kv/things/once", headers=once)
    second = stateful.request("POST", "/count?kv/things/once", headers=once)
    assert first[2] == second[2] == b"1"


def test_a_held_reply_has_its_trailers_and_a_repeated_one_too(stateful):
    for key in (b"", b"Idempotency-Key: t1\r\n", b"Idempotency-Key: t1\r\n"):
        got = stateful.raw(b"POST /trailers HTTP/1.1\r\n" + TAKES + key + b"\r\n")
        assert got.endswith(b"\r\n\r\n4\r\nbody\r\n0\r\nx-sum: 42\r\n\r\n"), got
    assert b"idempotency-replayed" in got
    summed = SUMMED.replace(b"\r\n\r\n", b"\r\nIdempotency-Key: t2\r\n\r\n")
    assert stateful.raw(summed + b"4\r\nsome\r\n0\r\nX-Sum: 17\r\n\r\n").endswith(b"\r\n\r\n17")
    assert stateful.problem("POST", "/bad-trailers")[1]["code"] == "guest_bad_reply"


def test_counters_are_files_for_components_too(stateful):
    assert stateful.get("/file?counters/hits/x")[0] in (200, 404)


def test_configuration_and_log_are_the_modules(stateful):
    assert stateful.get("/config?COLOUR")[2] == b"blue"
    assert stateful.get("/config?NOTHING")[2] == b""
    assert stateful.get("/log?something")[0] == 200
    assert said(stateful, "WARN place: something")


BLOBSTORE = GUESTS / "blobstore.wasm"


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    folder = tmp_path_factory.mktemp("objects")
    app = App(folder / "app")
    app.module("blobs", BLOBSTORE, 'grants = { blobs = ["files:rw", "shown:r"] }').route("/*", "blobs")
    app.module("web", WEB, 'grants = { blobs = ["files:rw"] }').route("/file", "web")
    app.module("poor", BLOBSTORE).route("/has", "poor")
    with Server(["serve", app.folder, "--port", "0", "--state", folder / "state"]) as running:
        yield running
        assert running.stop() == 0


def test_a_container_is_a_store_that_is_granted(objects):
    def get(path):
        return objects.get(path)[2]

    for name in [b"others", b"files/x", b"", b"..", b"."]:
        assert get(f"/open?{name.decode()}").startswith(b"no container "), name
        assert get(f"/exists?{name.decode()}") == b"no"
    assert get("/open?files") == get("/open?shown") == b"open"
    assert get("/exists?shown") == b"yes"
    assert get("/delete-container?files") == b"containers stay as long as they are granted"
    assert get("/has?x").startswith(b"no container ")  # another module, without a grant
    assert get("/put?x") == b"put"
    assert get("/smuggle?x") == b"access denied"  # into one that may only be read
    assert get("/delete?x") == b"gone"


def test_objects_are_blobs(objects):
    def get(path):
        return objects.get(path)[2]

    assert get("/get?a/b") == get("/size?a/b") == b"no such object"
    assert get("/put?a/b") == b"put"
    assert get("/size?a/b") == b"7"
    assert get("/size?a") == b"no such object"  # only the beginning of a name
    assert get("/get?a/b") == get("/file?blobs/files/a/b") == b"a value"  # a module sees it too
    assert get("/stream?a/b") == b"7:a value"
    assert get("/part?a/b") == b"3:val"  # the end is inclusive
    assert get("/behind?a/b") == get("/backwards?a/b") == b"no such part of the object"
    assert get("/copy?a/b") == b"done"
    assert get("/move?a/b") == b"done"
    assert get("/get?a/b") == b"no such object"
    assert get("/get?a/b-too") == b"a value"
    assert get("/has-in-other-draft?a/b-too") == b"yes"
    assert get("/has-in-other-draft?a/b") == b"no"
    assert get("/put?.././//%25") == b"put"  # odd names are names
    assert get("/put?c") == b"put"
    assert len(get("/list").split()) == 3
    assert len(get("/list-rest").split()) == 2
    assert get("/delete?c") == get("/delete?c") == b"gone"
    assert get("/clear") == b"empty"
    assert get("/list") == b""


def test_a_large_object_streams_and_says_first_where_it_goes(objects):
    assert objects.get("/put-nowhere?large")[2] == b"not written"
    assert objects.get("/finish-nowhere")[2] == b"the value was not given to write-data"
    assert objects.get("/put-large?large")[2] == b"put"
    assert objects.get("/size?large")[2] == b"1228800"
    assert objects.get("/stream?large")[2] == b"1228800:" + b"x" * 1228800
    assert objects.get("/copy?large")[2] == b"done"
    assert objects.get("/size?large-too")[2] == b"1228800"


def test_objects_of_a_failed_turn_are_none(objects):
    assert objects.get("/put?kept")[2] == b"put"
    assert objects.problem("GET", "/put-and-trap?kept")[0] == 502
    assert objects.get("/get?kept")[2] == b"a value"
    assert objects.problem("GET", "/put-and-trap?lost")[0] == 502
    assert objects.get("/get?lost")[2] == b"no such object"


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


WEB3 = GUESTS / "web3.wasm"


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("components-0.3")
    app = App(folder / "app")
    app.module("web", WEB3, 'limits = { cpu = "200ms", time = "2s" }').route("/*", "web")
    with Server(["serve", app.folder, "--port", "0", "--state", folder / "state"]) as running:
        yield running
        assert running.stop() == 0


def test_a_service_of_wasi_0_3_streams_its_answer(newer):
    assert newer.get("/")[:3:2] == (200, b"hello from 0.3\n")
    assert newer.request("POST", "/", body=b"x" * 100_000)[2] == b"hello from 0.3\n"


def test_trailers_of_wasi_0_3_go_both_ways(newer):
    got = newer.raw(b"GET /trailers HTTP/1.1\r\n" + TAKES + b"\r\n")
    assert got.endswith(b"hello from 0.3\n\r\n0\r\nx-sum: 42\r\n\r\n"), got
    assert newer.raw(SUMMED + b"4\r\nsome\r\n0\r\nX-Sum: 17\r\n\r\n").endswith(b"\r\n\r\n17\n")
    assert newer.request("POST", "/sum", body=b"x" * 100_000)[2] == b"no trailers\n"


def test_its_clocks_are_the_shards(newer):
    started = time.perf_counter()
    assert newer.get("/sleep")[2] == b"hello from 0.3\n"
    assert time.perf_counter() - started >= 0.02


def test_it_has_the_same_limits(newer):
    assert newer.problem("GET", "/trap")[1]["code"] == "guest_trapped"
    assert newer.problem("GET", "/spin")[1]["code"] == "guest_cpu_limit"
    assert newer.get("/")[0] == 200


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


def test_requests_to_it_run_side_by_side(newer):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: newer.get("/sleep")[2], range(64))) == {b"hello from 0.3\n"}


def test_inspect_prints_the_world_of_a_component(run_carrel):
    done = run_carrel("inspect", WEB)
    assert done.returncode == 0, done.stdout
    assert "http-proxy" in done.stdout
    assert "world root {" in done.stdout
    assert "export wasi:http/incoming-handler@0.2.12;" in done.stdout


def test_what_nothing_provides_is_named_before_it_is_served(run_carrel, wat):
    component = wat('(component (import "acme:prices/list@1.0.0" (instance (export "get" (func)))))')
    done = run_carrel("inspect", component)
    assert done.returncode == 1
    assert "can run    no" in done.stdout


# Two components: one calls the other with a text, which is copied from one memory to the other.
COMPOSED = """(component
  (component $callee
    (core module $m
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      (func (export "last") (param $at i32) (param $size i32) (result i32)
        (i32.load8_u (i32.sub (i32.add (local.get $at) (local.get $size)) (i32.const 1)))))
    (core instance $i (instantiate $m))
    (func (export "last") (param "text" string) (result u32)
      (canon lift (core func $i "last") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $caller
    (import "last" (func $last (param "text" string) (result u32)))
    (core module $room (memory (export "memory") 1) (data (i32.const 8) "hello!"))
    (core instance $own (instantiate $room))
    (core func $lowered (canon lower (func $last) (memory (core memory $own "memory"))))
    (core module $m
      (import "other" "last" (func $last (param i32 i32) (result i32)))
      (func (export "run") (result i32)
        (i32.ne (call $last (i32.const 8) (i32.const 6)) (i32.const 33))))
    (core instance $other (export "last" (func $lowered)))
    (core instance $i (instantiate $m (with "other" (instance $other))))
    (func (export "run") (result (result)) (canon lift (core func $i "run"))))
  (instance $a (instantiate $callee))
  (instance $b (instantiate $caller (with "last" (func $a "last"))))
  (instance $exports (export "run" (func $b "run")))
  (export "wasi:cli/run@0.2.3" (instance $exports)))"""


def test_what_is_composed_of_several_runs(run_carrel, wat):
    composed = wat(COMPOSED)
    done = run_carrel("run", "--memory", "128KiB", composed)
    assert done.returncode == 0, done.stderr
    assert run_carrel("run", "--memory", "64KiB", composed).returncode != 0, "the limit is for both memories"
    assert "can run" in run_carrel("inspect", composed).stdout


def test_a_command_runs_from_the_shell(run_carrel, guests, tmp_path):
    (tmp_path / "note.txt").write_text("written by a test")
    done = run_carrel("run", "--dir", f"{tmp_path}::/data", guests("keeper_component"), input="read /data/note.txt\n")
    assert done.returncode == 0, done.stderr
    assert "written by a test" in done.stdout
    failed = run_carrel("run", guests("keeper_component"), input="exit 3\n")
    assert failed.returncode == 1  # all that wasi:cli 0.2 can say
    assert run_carrel("run", WEB).returncode == 1


def test_a_command_of_wasi_0_3_has_files_that_stream(run_carrel, guests, tmp_path):
    (tmp_path / "note.txt").write_text("a note\n" * 200)
    (tmp_path / "folder").mkdir()
    done = run_carrel("run", "--dir", f"{tmp_path}::/data", guests("command3"))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:3] == ["missing: error 19", ".: error 13", "note.txt: error 2"]
    assert lines[3:203] == ["a note"] * 200
    assert lines[203:207] == ["note.txt: well", "out.txt: well", "out.txt: well", "24 bytes"]
    assert sorted(lines[207:210]) == ["folder 2", "note.txt 5", "out.txt 5"]
    assert lines[210:] == [".: well", "unlink: well"]
    assert (tmp_path / "out.txt").read_text() == "written by 0.3\nand more\n"
    assert not (tmp_path / "note.txt").exists()
