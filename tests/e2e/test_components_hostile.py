"""Components that misbehave, and clients and files that do: each ends by itself, and others are served."""

import concurrent.futures
import contextlib
import random
import socket
import time

import pytest

from support import GUESTS, App, Server

WEB = GUESTS / "web.wasm"
WEB3 = GUESTS / "web3.wasm"
pytestmark = pytest.mark.skipif(not WEB.is_file(), reason="the component is not built")
LIMITS = 'limits = { cpu = "300ms", time = "1s", memory = "8MiB" }'


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("components-hostile")
    app = App(folder / "app").module("web", WEB, LIMITS)
    app.module("newer", WEB3 if WEB3.is_file() else WEB, LIMITS).route("/newer", "newer").route("/*", "web")
    with Server(["serve", app.folder, "--port", "0", "--shards", "1", "--state", folder / "state"]) as running:
        yield running
        assert running.stop() == 0


def leave(port, request, seconds):
    """Sends, waits, and resets the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.sendall(request)
        time.sleep(seconds)


def head(method, path, more=""):
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode()


CHUNKED = "Transfer-Encoding: chunked\r\n"
LEFT = {
    "before a body": head("POST", "/echo", CHUNKED),
    "in a chunk": head("POST", "/echo", CHUNKED) + b"ff\r\nsome",
    "between chunks": head("POST", "/echo", CHUNKED) + b"4\r\nsome\r\n",
    "in the trailers": head("POST", "/echo", CHUNKED) + b"4\r\nsome\r\n0\r\nx-late: ",
    "of a body nobody reads": head("POST", "/sleep?900", "Content-Length: 100000\r\n") + b"x" * 1000,
    "while it computes": head("GET", "/spin"),
    "while it polls": head("GET", "/poll-forever"),
    "while it sleeps": head("GET", "/sleep?900"),
    "while its reply drips": head("GET", "/drip?100"),
    "of a reply nobody reads": head("GET", "/big?100000"),
    "of a newer one": head("GET", "/newer"),
    "of a newer one's body": head("POST", "/newer", CHUNKED) + b"4\r\nsome\r\n",
}


@pytest.mark.parametrize("state", LEFT)
def test_a_client_may_leave_at_any_moment(server, state):
    for milliseconds in (0, 0, 0, 1, 2, 3, 5, 8, 13, 60):
        leave(server.port, LEFT[state], milliseconds / 1000)
    assert server.get("/hello")[2] == b"hello\n"


def test_who_left_holds_no_place(server):
    """Far more than a tenant's share of the shard, one after the other."""
    for _ in range(600):
        leave(server.port, LEFT["while it sleeps"], 0)
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        assert set(pool.map(lambda _: server.get("/sleep?1")[0], range(100))) == {200}


def test_a_body_that_never_ends_is_cut_by_the_time_limit(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head("POST", "/echo", "Content-Length: 1000\r\n"))
        started = time.perf_counter()
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                answer += part
        assert not answer.endswith(b"0\r\n\r\n"), answer  # it had begun, and is broken off
        assert time.perf_counter() - started < 5


def test_a_body_that_is_never_read_is_no_hindrance(server):
    assert server.request("POST", "/hello", body=b"x" * 300_000)[2] == b"hello\n"


def test_endless_loops_of_both_kinds_leave_others_their_share(server):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        paths = ["/spin", "/spin", "/poll-forever", "/handles-forever"]
        busy = [pool.submit(server.problem, "GET", path) for path in paths]
        slowest = 0.0
        for _ in range(50):
            started = time.perf_counter()
            assert server.get("/hello")[2] == b"hello\n"
            slowest = max(slowest, time.perf_counter() - started)
        assert slowest < 1
        assert {one.result()[0] for one in busy} <= {502, 504}


def test_a_thousand_may_be_parked(tmp_path):
    folders = []
    for name in ("a", "b", "c", "d"):
        app = App(tmp_path / name, name).module("web", WEB, 'limits = { time = "60s", memory = "8MiB" }')
        folders.append(app.route("/*", "web").folder)
    calm = App(tmp_path / "calm", "calm").module("web", WEB, LIMITS).route("/*", "web")
    arguments = ["serve", *folders, calm.folder, "--port", "0", "--shards", "1", "--admin", "off"]
    parked = []
    with Server([*arguments, "--state", tmp_path / "state", "--drain", "1s"]) as server:
        for name in ("a", "b", "c", "d") * 245:
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            connection.sendall(f"GET /sleep?50000 HTTP/1.1\r\nHost: {name}.localhost\r\n\r\n".encode())
            parked.append(connection)
        for _ in range(20):
            assert server.request("GET", "/hello", headers={"Host": "calm.localhost"})[2] == b"hello\n"
        for connection in parked:
            connection.close()
        status, _, body = server.request("GET", "/hello", headers={"Host": "a.localhost"})
        assert (status, body) == (200, b"hello\n")
        assert server.stop() == 0


def damaged(sound, random_numbers):
    """Cut off, or with some bytes changed; where, is by chance."""
    data = bytearray(sound)
    if random_numbers.random() < 0.25:
        return bytes(data[: random_numbers.randrange(8, len(data))])
    # Most of a component is code and names: what matters to its shape is at its ends.
    places = [range(8, min(4000, len(data))), range(len(data) - 8000, len(data)), range(8, len(data))]
    for _ in range(random_numbers.choice((1, 1, 2, 8))):
        data[random_numbers.choice(random_numbers.choice(places))] = random_numbers.randrange(256)
    return bytes(data)


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_component_is_refused_or_ends(run_carrel, guests, tmp_path, seed):
    sound = guests("keeper_component").read_bytes()
    numbers = random.Random(seed)
    for turn in range(6):
        file = tmp_path / f"{turn}.wasm"
        file.write_bytes(damaged(sound, numbers))
        assert run_carrel("inspect", file).returncode in (0, 1)
        done = run_carrel("run", "--time", "2s", "--memory", "64MiB", file, input="write /note x\n")
        assert 0 <= done.returncode < 128, (seed, turn, done.stderr[-300:])
