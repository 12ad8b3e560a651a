"""One tenant asks for more than its share: it waits, then is refused; others are served."""

import socket

from wat import guest

from support import GUESTS, App, Server

# More than a tenant's share of a shard (at most 250 turns) and its line (256) hold together.
CONNECTIONS = 530


def ask(port, app="busy"):
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.sendall(f"GET /sleep HTTP/1.1\r\nHost: {app}.localhost\r\nConnection: close\r\n\r\n".encode())
    return connection


def answer(connection):
    received = b""
    with connection:
        while chunk := connection.recv(65536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.lower(), body


def test_a_tenant_over_its_share_is_refused_and_others_are_served(tmp_path):
    busy = App(tmp_path / "busy", "busy")
    busy.module("probe", GUESTS / "probe.wasm", 'argv = "probe sleep 2000"\nlimits = { time = "30s", cpu = "5s" }')
    busy.route("GET /sleep", "probe")
    calm = App(tmp_path / "calm", "calm").wat("good", guest("fine")).route("GET /good", "good")
    arguments = ["serve", busy.folder, calm.folder, "--port", "0", "--shards", "1", "--admin", "off"]
    with Server([*arguments, "--state", tmp_path / "state"]) as server:
        connections = [ask(server.port) for _ in range(CONNECTIONS)]
        for _ in range(10):
            status, _, body = server.request("GET", "/good", headers={"Host": "calm.localhost"})
            assert (status, body) == (200, b"fine")
        answers = [answer(connection) for connection in connections]
        assert server.stop() == 0
    assert {status for status, _, _ in answers} == {200, 429}
    refused = [(head, body) for status, head, body in answers if status == 429]
    assert len(refused) >= CONNECTIONS - 250 - 256
    for head, body in refused:
        assert b"\r\nretry-after: 1" in head
        assert b'"code":"too_many_requests"' in body


def test_a_full_server_refuses_with_a_503(tmp_path):
    folders = []
    for name in ("a", "b", "c", "d"):
        busy = App(tmp_path / name, name)
        busy.module("probe", GUESTS / "probe.wasm", 'argv = "probe sleep 9000"\nlimits = { time = "30s", cpu = "5s" }')
        folders.append(busy.route("GET /sleep", "probe").folder)
    late = App(tmp_path / "late", "late").wat("good", guest("fine")).route("GET /good", "good")
    arguments = ["serve", *folders, late.folder, "--port", "0", "--shards", "1", "--admin", "off"]
    with Server([*arguments, "--state", tmp_path / "state", "--drain", "1s"]) as server:
        parked = []
        for name in ("a", "b", "c", "d"):
            parked += [ask(server.port, name) for _ in range(250)]
        status, problem = server.problem("GET", "/good", headers={"Host": "late.localhost"})
        assert (status, problem["code"]) == (503, "overloaded")
        for connection in parked:
            connection.close()
        # Their turns end with their connections, and there is room again.
        status, _, body = server.request("GET", "/good", headers={"Host": "late.localhost"})
        assert (status, body) == (200, b"fine")
        assert server.stop() == 0
