"""Bodies of calls to the outside that leave while they are written: long ones, slow ones, and peers that will not."""

import json
import socket
import socketserver
import threading
import time

import pytest

from support import GUESTS, App, Server, chunks_of, serving

WEB = GUESTS / "web.wasm"
pytestmark = pytest.mark.skipif(not WEB.is_file(), reason="the component is not built")


class Outside(socketserver.ThreadingTCPServer):
    """Reads a body as the path asked for says, and keeps what it saw of each."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Reader)
        self.seen = []
        self.asked = threading.Semaphore(0)
        self.let = threading.Semaphore(0)
        self.here = f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_):
        pass


class Reader(socketserver.StreamRequestHandler):
    def handle(self):
        method, path, _ = self.rfile.readline().decode().split(" ", 2)
        head = {}
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            name, value = line.decode().split(":", 1)
            head[name.lower()] = value.strip()
        seen = {"method": method, "path": path, "head": head, "size": 0, "end": b"", "whole": False, "times": []}
        seen["trailers"] = {}
        self.server.seen.append(seen)
        if path == "/early":
            self.answer(413, b"too much")
            self.connection.shutdown(socket.SHUT_WR)
            while piece := self.connection.recv(65536):
                seen["size"] += len(piece)
            return None
        if path == "/never":
            return self.server.let.acquire(timeout=30)
        if path == "/gone":
            self.rfile.read(100_000)
            return None
        for piece in self.pieces(head, seen["trailers"]):
            seen["size"] += len(piece)
            seen["end"] = (seen["end"] + piece)[-8:]
            seen["times"].append(time.monotonic())
            if path == "/slow":
                time.sleep(0.0005)
        seen["whole"] = True
        if path.startswith("/to/"):
            _, _, status, where = path.split("/")
            return self.answer(int(status), b"", f"Location: /{where}\r\n")
        if path == "/hold":
            self.server.asked.release()
            assert self.server.let.acquire(timeout=60)
        return self.answer(200, b"%s %d" % (method.encode(), seen["size"]))

    def pieces(self, head, trailers):
        if head.get("transfer-encoding") == "chunked":
            yield from chunks_of(self.rfile, trailers)
            return
        left = int(head.get("content-length", 0))
        while left > 0:
            piece = self.rfile.read(min(left, 65536))
            if not piece:
                raise ConnectionResetError
            left -= len(piece)
            yield piece

    def answer(self, status, body, more=""):
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{more}\r\n"
        self.wfile.write(head.encode() + body)


@pytest.fixture(scope="module")
def outside():
    with serving(Outside()) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory, outside):
    folder = tmp_path_factory.mktemp("streams")
    grants = json.dumps(["http://" + outside.here])
    app = App(folder / "app", "streams")
    app.module(
        "web", WEB, f'grants = {{ http = {grants} }}\nlimits = {{ memory = "8MiB", cpu = "10s", time = "10s" }}'
    ).route("/*", "web")
    app.module(
        "keeper",
        GUESTS / "keeper.wasm",
        f'grants = {{ kv = ["notes:rw"], http = {grants} }}\n'
        'limits = { memory = "16MiB", cpu = "10s", time = "20s" }',
    ).route("POST /keeper", "keeper")
    arguments = ["serve", app.folder, "--port", "0", "--admin", "off", "--state", folder / "state"]
    with Server([*arguments, "--allow-egress", "127.0.0.0/8"]) as running:
        yield running
        assert running.stop() == 0, running.log


@pytest.fixture
def ask(server, outside):
    outside.seen.clear()
    return lambda how, path: server.get(f"/{how}?{outside.here}{path}", timeout=60)[:3:2]


def say(server, *lines, **more):
    return server.request("POST", "/keeper", body="\n".join(lines), timeout=60, **more)


def peak(server):
    """KiB of memory at most, so far."""
    with open(f"/proc/{server.process.pid}/status") as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmHWM")))


def test_a_long_body_streams_in_little_memory(server, outside, ask):
    assert ask("out-large", "/count") == (200, b"POST 1228800")
    before = peak(server)
    assert ask("out-huge", "/slow") == (200, b"POST 40960000")
    assert peak(server) - before < 20_000
    assert [seen["head"].get("transfer-encoding") for seen in outside.seen] == ["chunked", "chunked"]
    assert all(seen["whole"] and "content-length" not in seen["head"] for seen in outside.seen)


def test_a_body_whose_length_is_said_is_sent_with_it(outside, ask):
    assert ask("out-sized", "/count") == (200, b"POST 1228800")
    assert outside.seen[0]["head"]["content-length"] == "1228800"
    assert "transfer-encoding" not in outside.seen[0]["head"]


def test_a_short_body_that_is_soon_whole_is_sent_whole(outside, ask):
    assert ask("out-body", "/count") == (200, b"POST 409600")
    assert outside.seen[0]["head"]["content-length"] == "409600"


def test_a_slow_body_leaves_as_it_is_written(outside, ask):
    assert ask("out-drip", "/count") == (200, b"POST 12288")
    times = outside.seen[0]["times"]
    assert times[-1] - times[0] > 0.15, "the first piece did not wait for the last"


def test_a_peer_that_answers_early_is_heard(outside, ask):
    for _ in range(5):
        assert ask("out-huge", "/early") == (413, b"too much")
        assert ask("out-drip", "/early") == (413, b"too much")
    assert all(seen["size"] < 10_000_000 for seen in outside.seen)


def test_an_early_answer_is_there_for_who_waits_for_it_within_the_body(outside, ask):
    started = time.monotonic()
    assert ask("out-wait", "/early") == (413, b"too much")
    assert time.monotonic() - started < 5, "not when the call's time is over"
    assert outside.seen[0]["size"] < 5000


def test_a_requests_trailers_are_sent(outside, ask):
    assert ask("out-trailers", "/count") == (200, b"POST 12288")
    assert ask("out-drip-trailers", "/count") == (200, b"POST 12288")
    assert [seen["trailers"] for seen in outside.seen] == [{"x-sum": "42"}] * 2
    assert "content-length" not in outside.seen[0]["head"]
    outside.seen.clear()
    assert ask("out-bad-trailers", "/count") == (502, b"35")  # HTTP-protocol-error
    assert not any(seen["whole"] for seen in outside.seen)


def test_a_peer_that_goes_away_is_an_error(ask):
    assert ask("out-huge", "/gone") == (502, b"7")  # connection-terminated


def test_a_peer_that_reads_nothing_ends_with_the_calls_time(server, outside, ask):
    started = time.monotonic()
    slow = threading.Thread(target=lambda: ask("out-huge", "/never"))
    slow.start()
    for _ in range(20):
        assert server.get("/hello")[2] == b"hello\n"
    slow.join(30)
    outside.let.release()
    assert not slow.is_alive() and time.monotonic() - started < 20


def test_a_guest_that_fails_within_the_body_does_not_end_it_well(server, outside):
    outside.seen.clear()
    assert server.problem("GET", f"/out-trap?{outside.here}/count")[1]["code"] == "guest_trapped"
    until = time.monotonic() + 10
    while not outside.seen and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.2)
    assert [seen["whole"] for seen in outside.seen] == [False]


def test_a_redirect_that_wants_the_body_again_is_refused(outside, ask):
    assert ask("out-large", "/to/303/count") == (200, b"GET 0")
    assert ask("out-large", "/to/307/count") == (502, b"35")  # HTTP-protocol-error
    assert ask("out-body", "/to/307/count") == (200, b"POST 409600")


def test_a_module_streams_through_the_device(server, outside):
    outside.seen.clear()
    url = f"http://{outside.here}/count"
    status, _, text = say(server, f"stream POST {url} 3000000 the end", f"call POST {url} short")
    assert (status, text) == (200, f"call {url}: 200 POST 3000007\ncall {url}: 200 POST 5\n".encode())
    assert outside.seen[0]["end"] == b"xthe end"
    refused = say(server, "stream POST http://127.0.0.1:1/ 3000000 x")[2]
    assert refused == b"call http://127.0.0.1:1/: EACCES\n"


def loses(server, outside, *lines):
    """The turn's answer, when another turn writes meanwhile what it has read."""
    answers = []
    caller = threading.Thread(target=lambda: answers.append(say(server, *lines)))
    caller.start()
    assert outside.asked.acquire(timeout=60)
    assert say(server, "write /kv/notes/n other")[0] == 200
    outside.let.release()
    caller.join(60)
    return answers[0][0], answers[0][2].decode()


def test_a_streamed_call_is_made_once_by_a_turn_that_is_run_again(server, outside):
    outside.seen.clear()
    assert say(server, "write /kv/notes/n first")[0] == 200
    url = f"http://{outside.here}/hold"
    body = f"stream POST {url} 2500000 same"
    status, text = loses(server, outside, "read /kv/notes/n", body, "append /kv/notes/n +call")
    assert status == 200, text
    assert text.splitlines()[0] == "read /kv/notes/n: other", "the run that counts saw what the other wrote"
    assert f"call {url}: 200 POST 2500004" in text
    assert [seen["size"] for seen in outside.seen] == [2500004]


def test_a_turn_that_streams_something_else_when_it_is_run_again_is_a_conflict(server, outside):
    outside.seen.clear()
    assert say(server, "write /kv/notes/n first")[0] == 200
    body = f"stream POST http://{outside.here}/hold 2500000 @/kv/notes/n"
    status, text = loses(server, outside, body, "append /kv/notes/n +call")
    assert status == 503, text
    assert json.loads(text)["code"] == "conflict"
    assert [seen["end"] for seen in outside.seen] == [b"xxxfirst"]
    assert say(server, "read /kv/notes/n")[2] == b"read /kv/notes/n: other\n"
