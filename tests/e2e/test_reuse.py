"""Instances of components that serve more than one request: who asks for it, what stays, and what does not."""

import concurrent.futures
import socket
import time

import pytest

from support import GUESTS, App, Server

WEB = GUESTS / "web.wasm"
WEB3 = GUESTS / "web3.wasm"
pytestmark = pytest.mark.skipif(not WEB.is_file(), reason="the component is not built")
LIMITS = 'limits = { cpu = "300ms", time = "3s", memory = "8MiB" }'


@pytest.fixture
def server(tmp_path):
    app = App(tmp_path / "one", "one")
    app.module("kept", WEB, f"reuse = true\n{LIMITS}").route("/*", "kept")
    app.module("stateful", WEB, f'reuse = true\ngrants = {{ kv = ["things:rw"] }}\n{LIMITS}')
    for path in ["/count", "/count-and-trap"]:
        app.route(path, "stateful")
    other = App(tmp_path / "two", "two").module("kept", WEB, f"reuse = true\n{LIMITS}").route("/*", "kept")
    newer = App(tmp_path / "three", "three").module("kept", WEB3, f"reuse = true\n{LIMITS}").route("/*", "kept")
    arguments = ["serve", app.folder, other.folder, newer.folder, "--port", "0", "--shards", "1", "--admin", "off"]
    with Server([*arguments, "--state", tmp_path / "state"]) as running:
        yield running
        assert running.stop() == 0, running.log


ONE = {"Host": "one.localhost"}


def get(server, path, **more):
    return server.get(path, headers=ONE, **more)


def times(server, host="one.localhost"):
    return int(server.get("/times", headers={"Host": host})[2])


def test_an_instance_serves_one_request_after_the_other(server):
    assert [times(server) for _ in range(5)] == [1, 2, 3, 4, 5]


def test_who_does_not_ask_for_it_has_fresh_ones(tmp_path):
    app = App(tmp_path / "app").module("web", WEB, LIMITS).route("/*", "web")
    with Server(["serve", app.folder, "--port", "0", "--shards", "1", "--state", tmp_path / "state"]) as running:
        assert [int(running.get("/times")[2]) for _ in range(3)] == [1, 1, 1]


def test_a_component_of_wasi_0_3_is_kept_too(server):
    assert [times(server, "three.localhost") for _ in range(3)] == [1, 2, 3]
    for path, text in {"/": b"hello from 0.3\n", "/sleep": b"hello from 0.3\n", "/times": b"006\n"}.items():
        assert server.request("POST", path, body=b"x" * 1000, headers={"Host": "three.localhost"})[2] == text
    for path in ("/trap", "/spin"):
        assert server.get(path, headers={"Host": "three.localhost"})[0] in (502, 504)
        assert times(server, "three.localhost") == 1


def test_another_tenants_instance_of_the_same_file_is_its_own(server):
    assert [times(server) for _ in range(3)] == [1, 2, 3]
    assert times(server, "two.localhost") == 1
    assert times(server) == 4


@pytest.mark.parametrize("path", ["/trap", "/trap-late", "/silent", "/spin", "/sleep?60000", "/drop-twice", "/twice"])
def test_an_instance_goes_with_the_request_that_failed(server, path):
    assert [times(server) for _ in range(2)] == [1, 2]
    server.raw(f"GET {path} HTTP/1.1\r\nHost: one.localhost\r\nConnection: close\r\n\r\n".encode())
    assert times(server) == 1


def test_an_instance_goes_with_the_client_that_left(server):
    assert [times(server) for _ in range(2)] == [1, 2]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"GET /sleep?2000 HTTP/1.1\r\nHost: one.localhost\r\n\r\n")
        time.sleep(0.2)
    time.sleep(0.2)
    assert times(server) == 1


def test_an_instance_goes_after_128_requests(server):
    assert [times(server) for _ in range(129)] == [*range(1, 129), 1]


def test_an_instance_goes_when_nobody_needs_it(server):
    assert [times(server) for _ in range(2)] == [1, 2]
    time.sleep(12)
    assert times(server) == 1


def test_requests_at_once_have_instances_of_their_own(server):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: get(server, "/sleep?50")[2], range(64))) == {b"slept\n"}


def test_its_memory_has_one_limit_for_all_its_requests(server):
    first = int(get(server, "/grow")[2])
    assert 64 <= first <= 128
    assert int(get(server, "/grow")[2]) == 0
    assert times(server) == 3


def test_what_belonged_to_a_request_is_of_no_use_in_the_next(server):
    assert get(server, "/hold-file?event/attributes.json")[2] == b"0"
    assert get(server, "/held-file?config")[:3:2] == (409, b"3")  # bad-descriptor
    assert get(server, "/held-file?event/attributes.json")[:3:2] == (409, b"3"), "its number is another file's now"
    assert get(server, "/file?event/attributes.json")[0] == 200
    assert server.request("POST", "/hold-body", headers=ONE, body=b"secret of the first")[2] == b"held"
    status, _, body = server.request("POST", "/held-body", headers=ONE, body=b"secret of the second")
    assert (status, body) == (409, b"closed")
    assert server.request("POST", "/echo", headers=ONE, body=b"whole")[2] == b"whole"
    assert times(server) == 8


def test_a_body_that_was_never_finished_ends_and_takes_its_instance(server):
    assert [times(server) for _ in range(2)] == [1, 2]
    assert get(server, "/unfinished")[2] == b"started\n"
    assert times(server) == 1


def test_configuration_files_and_log_are_those_of_the_request(server):
    for _ in range(3):
        assert b'"path": "/file"' in get(server, "/file?event/attributes.json")[2]
        assert get(server, "/put?tmp/x")[2] == b"0"
        assert get(server, "/file?tmp/x")[0] == 404  # the file is the other turn's


def test_state_is_committed_turn_by_turn(server):
    assert [get(server, "/count?kv/things/n")[2] for _ in range(3)] == [b"1", b"2", b"3"]
    assert server.problem("GET", "/count-and-trap?kv/things/n", headers=ONE)[0] == 502
    assert get(server, "/count?kv/things/n")[2] == b"4"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: int(get(server, "/count?kv/things/hot", timeout=60)[2]), range(100)))
    assert sorted(seen) == list(range(1, 101))


def test_a_module_that_is_no_component_of_http_cannot_ask_for_it(run_carrel, tmp_path):
    app = App(tmp_path / "app").module("probe", GUESTS / "probe.wasm", "reuse = true").route("/*", "probe")
    done = run_carrel("serve", app.folder, "--port", "0", "--state", tmp_path / "state")
    assert done.returncode != 0
    assert "`reuse` is for components" in done.stderr + done.stdout
