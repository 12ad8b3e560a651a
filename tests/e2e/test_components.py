"""Components of wasi:http, 0.2 and 0.3, served like modules."""

import concurrent.futures
import http.client
import socket
import time

import pytest
from web_component import SUMMED, TAKES, WEB, said

from support import GUESTS, App, Server

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
    ],
)
def test_who_misbehaves_is_told_from_who_does_not(server, path, status, code):
    got, problem = server.problem("GET", path)
    assert got == status, problem
    assert code is None or problem["code"] == code
    assert server.get("/hello")[2] == b"hello\n"


@pytest.mark.parametrize("path", ["/trap-late", "/wrong-length", "/twice", "/too-much-at-once"])
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


def test_requests_to_it_run_side_by_side(newer):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: newer.get("/sleep")[2], range(64))) == {b"hello from 0.3\n"}
