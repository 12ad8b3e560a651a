"""A turn that calls out and loses a conflict: the outside is asked once, whatever becomes of the turn."""

import http.server
import json
import threading

import pytest

from support import GUESTS, App, Server, serving


class Latch(http.server.ThreadingHTTPServer):
    """Answers once it is let; the test knows when it was asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Held)
        self.seen = []
        self.asked = threading.Semaphore(0)
        self.let = threading.Semaphore(0)
        self.url = f"http://127.0.0.1:{self.server_port}"


class Held(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        self.server.seen.append((body, self.headers["Idempotency-Key"]))
        self.server.asked.release()
        assert self.server.let.acquire(timeout=60)
        answer = f"answer {len(self.server.seen)}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@pytest.fixture
def latch():
    with serving(Latch()) as running:
        yield running


@pytest.fixture
def server(tmp_path, state, latch):
    app = App(tmp_path / "app", "calls")
    app.module(
        "keeper",
        GUESTS / "keeper.wasm",
        f'grants = {{ kv = ["notes:rw"], http = ["{latch.url}"] }}\n'
        'limits = { memory = "16MiB", cpu = "1s", time = "30s" }',
    ).route("POST /", "keeper")
    arguments = ["serve", app.folder, "--port", "0", "--admin", "off", "--state", state]
    with Server([*arguments, "--allow-egress", "127.0.0.0/8"]) as running:
        yield running
        assert running.stop() == 0, running.log


def say(server, *lines, **more):
    return server.request("POST", "/", body="\n".join(lines), **more)


def read_call_and_write(server, call, headers):
    return say(server, "read /kv/notes/n", call, "append /kv/notes/n +call", headers=headers, timeout=60)


class Caller(threading.Thread):
    """A client whose turn reads a name, calls out, and writes the name."""

    def __init__(self, *work):
        super().__init__()
        self.work = lambda: read_call_and_write(*work)
        self.answer = None
        self.start()

    def run(self):
        self.answer = self.work()

    def result(self):
        self.join(60)
        assert self.answer is not None
        return self.answer[0], self.answer[2].decode()


def loses(server, latch, call, headers=None):
    """The turn's answer: while it waits for the outside, another turn writes what it has read."""
    caller = Caller(server, call, headers)
    assert latch.asked.acquire(timeout=60)
    assert say(server, "write /kv/notes/n other")[0] == 200
    latch.let.release()
    return caller.result()


def test_a_turn_that_is_run_again_is_given_the_response_it_had(server, latch):
    assert say(server, "write /kv/notes/n first")[0] == 200
    status, text = loses(server, latch, f"call POST {latch.url}/ ask")
    assert status == 200, text
    assert "read /kv/notes/n: other\n" in text, "the run that counts has seen what the other wrote"
    assert ": 200 answer 1\n" in text
    assert [body for body, _ in latch.seen] == ["ask"]
    assert b"other+call" in say(server, "read /kv/notes/n")[2]


def test_a_turn_that_asks_something_else_when_it_is_run_again_is_a_conflict(server, latch):
    assert say(server, "write /kv/notes/n first")[0] == 200
    status, text = loses(server, latch, f"call POST {latch.url}/ @/kv/notes/n")
    assert status == 503, text
    assert json.loads(text)["code"] == "conflict"
    assert [body for body, _ in latch.seen] == ["first"]
    assert b"read /kv/notes/n: other\n" in say(server, "read /kv/notes/n")[2], "nothing of it was kept"


def test_each_turn_has_a_key_of_its_own_and_all_its_runs_have_the_same(server, latch):
    for _ in range(2):
        status, text = loses(server, latch, f"call POST {latch.url}/ ask")
        assert status == 200, text
    latch.let.release()
    assert say(server, f"call POST {latch.url}/ a")[0] == 200
    latch.let.release(2)
    assert say(server, f"call POST {latch.url}/ b", f"call POST {latch.url}/ c")[0] == 200
    keys = [key for _, key in latch.seen]
    assert len(keys) == 5
    assert len(set(keys)) == 5
    turn, number = keys[3].rsplit("-", 1)
    assert (number, keys[4]) == ("0", f"{turn}-1")


def test_a_request_that_is_sent_again_with_its_key_calls_with_the_keys_it_had(server, latch):
    again = {"Idempotency-Key": "mine"}
    assert say(server, "write /kv/notes/n first")[0] == 200
    call = f"call POST {latch.url}/ @/kv/notes/n"
    assert loses(server, latch, call, again)[0] == 503
    latch.let.release()
    assert read_call_and_write(server, call, again)[0] == 200
    assert read_call_and_write(server, call, again)[0] == 200, "from here on it is given the answer that is kept"
    assert [body for body, _ in latch.seen] == ["first", "other"]
    assert latch.seen[0][1] == latch.seen[1][1]
    latch.let.release()
    assert read_call_and_write(server, call, {"Idempotency-Key": "yours"})[0] == 200
    assert latch.seen[2][1] != latch.seen[1][1]
