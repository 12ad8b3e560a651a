"""`carrel kv`, `counter` and `secret`: what an app keeps, from the command line of its operator."""

import base64
import contextlib
import http.server
import json
import os
import queue
import signal
import socket
import stat
import subprocess
import termios
import threading
import time

import pytest
import requests

from support import CARREL, App, Server, serving

GRANTS = 'grants = { kv = ["carts:rw"], counters = ["stock:rw"] }'


def keeper_app(folder, guests, name="shop", more=""):
    app = App(folder, name)
    app.text += more
    return app.module("keep", guests("keeper"), GRANTS).route("POST /", "keep")


def served(app, state, admin="127.0.0.1:0"):
    return Server(["serve", app.folder, "--port", "0", "--admin", admin, "--state", state])


@pytest.fixture(scope="module")
def node(tmp_path_factory, guests):
    folder = tmp_path_factory.mktemp("cli")
    with served(keeper_app(folder / "app", guests), folder / "state") as server:
        server.state = folder / "state"
        yield server
        assert server.stop() == 0, server.log


@pytest.fixture
def ask(node):
    """ask(ARGUMENT..., input=): a command to the node."""

    def run(*arguments, state=node.state, **more):
        return carrel(*arguments, "--state", state, **more)

    return run


def carrel(*arguments, input=b"", env=None, **more):
    return subprocess.run(
        [str(CARREL), *map(str, arguments)],
        input=input,
        env={**os.environ, **(env or {})},
        capture_output=True,
        timeout=60,
        **more,
    )


def well(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_value_is_put_read_listed_and_deleted_as_it_is(ask):
    value = bytes(range(256)) * 100
    assert well(ask("kv", "put", "shop", "trip", "a/b c", input=value)) == b""
    assert well(ask("kv", "put", "shop", "trip", "%/../ü?&#", "short")) == b""
    assert well(ask("kv", "get", "shop", "trip", "a/b c")) == value
    assert well(ask("kv", "list", "shop", "trip")).decode() == "%/../ü?&#\na/b c\n"
    assert well(ask("kv", "list", "shop", "trip", "--prefix", "a/")) == b"a/b c\n"
    assert json.loads(well(ask("kv", "get", "shop", "trip", "%/../ü?&#", "--json")))["value"] == "short"
    assert well(ask("kv", "delete", "shop", "trip", "a/b c")) == b""
    for action in ("get", "delete"):
        gone = ask("kv", action, "shop", "trip", "a/b c")
        assert gone.returncode == 3
        assert gone.stderr.startswith(b"carrel: there is no")
    assert well(ask("kv", "delete", "shop", "trip", "%/../ü?&#", "--json")) == '{"deleted":"%/../ü?&#"}\n'.encode()


def on_a_terminal(*arguments):
    """What the command shows on one, and its exit status."""
    terminal, other = os.openpty()
    command = [str(CARREL), *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=other, stderr=other) as process:
        os.close(other)
        said = b""
        with contextlib.suppress(OSError):  # it has gone
            while more := os.read(terminal, 1024):
                said += more
        os.close(terminal)
        return said, process.wait(20)


def test_a_terminal_is_not_steered_by_names_and_values(node, ask):
    name = "a\x1b[2Jb\nc\x9b"
    value = b"\x1b]0;title\x07 two\nlines\xff"
    well(ask("kv", "put", "shop", "escapes", name, input=value))
    where = ("--state", node.state)
    listed, _ = on_a_terminal("kv", "list", "shop", "escapes", *where)
    assert listed == b"a\\x1b[2Jb\\x0ac\\xc2\\x9b\r\n"
    got, _ = on_a_terminal("kv", "get", "shop", "escapes", name, *where)
    assert got == b"\\x1b]0;title\\x07 two\r\nlines\\xff\r\n"
    wrong, status = on_a_terminal("kv", "get", "no\x1b[2Jne", "escapes", "a", *where)
    assert status == 2
    assert b"\x1b" not in wrong
    assert well(ask("kv", "list", "shop", "escapes")) == name.encode() + b"\n"
    assert well(ask("kv", "get", "shop", "escapes", name)) == value


def test_a_name_that_is_no_text_is_told_without_loss(node, ask):
    name = b"odd\xff\x01/\xed\xa0\x80"
    name64 = base64.b64encode(name).decode()
    with Watcher(node.state, "odd") as watcher:
        put = well(ask("kv", "put", "shop", "odd", os.fsdecode(name), "x", "--json"))
        assert json.loads(put) == {"put64": name64, "bytes": 1}
        event = watcher.next()
        assert (event["event"], event["name64"], "name" in event) == ("put", name64, False)
    url = f"http://127.0.0.1:{node.admin_port}/v1/tenants/shop/kv/odd"
    headers = {"Authorization": f"Bearer {(node.state / 'token').read_text().strip()}"}
    assert requests.get(url, headers=headers, timeout=20).json()["values"] == [{"name64": name64, "bytes": 1}]
    assert json.loads(well(ask("kv", "list", "shop", "odd", "--json"))) == {"name64": name64, "bytes": 1}
    assert well(ask("kv", "list", "shop", "odd")) == name + b"\n"
    got = json.loads(well(ask("kv", "get", "shop", "odd", os.fsdecode(name), "--json")))
    assert got == {"name64": name64, "bytes": 1, "value": "x"}


class Lists(http.server.BaseHTTPRequestHandler):
    """Answers to a list, one after another."""

    def do_GET(self):
        self.server.asked.append(self.path)
        answer = self.server.answers.pop(0) if self.server.answers else {"values": []}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def entries(*names):
    return [{"name": name, "bytes": 0} for name in names]


@pytest.mark.parametrize(
    "page",
    [
        {"values": entries("b"), "next": "b"},
        {"values": entries("b"), "next": "a"},
        {"values": entries("c"), "next": 7},
        {"values": entries("c"), "next": "%zz"},
        {"values": entries(*"cdefgh")},
        {"values": 7},
        ["values"],
    ],
)
def test_a_list_that_does_not_go_on_ends_with_an_error(tmp_path, page):
    (tmp_path / "token").write_text("x" * 40)
    with serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Lists)) as server:
        server.asked, server.answers = [], [{"values": entries("a", "b"), "next": "b"}, page]
        url = f"http://127.0.0.1:{server.server_port}"
        where = ("--server", url, "--token-file", tmp_path / "token", "--limit", 7)
        listed = carrel("kv", "list", "shop", "carts", *where)
        assert listed.returncode == 1
        assert b"not a list" in listed.stderr
        assert len(server.asked) == 2


def test_a_list_goes_on_behind_an_empty_page(tmp_path):
    (tmp_path / "token").write_text("x" * 40)
    with serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Lists)) as server:
        first = {"values": entries("a"), "next": "b"}
        server.asked, server.answers = [], [first, {"values": [], "next": "c"}, {"values": entries("d")}]
        where = ("--server", f"http://127.0.0.1:{server.server_port}", "--token-file", tmp_path / "token")
        listed = carrel("kv", "list", "shop", "carts", *where)
        assert (listed.returncode, listed.stdout) == (0, b"a\nd\n")


def test_the_token_is_not_sent_in_clear_text_to_another_machine(node):
    refused = carrel("kv", "list", "shop", "carts", "--server", "http://192.0.2.1:3001", "--state", node.state)
    assert refused.returncode == 2
    assert b"in clear text" in refused.stderr
    assert b"ssh -L" in refused.stderr
    named = {"CARREL_SERVER": "http://carrel.invalid", "CARREL_STATE": str(node.state)}
    assert carrel("kv", "list", "shop", "carts", env=named).returncode == 2


def test_a_long_list_comes_in_pages(ask):
    for i in range(7):
        well(ask("kv", "put", "shop", "pages", f"name{i}", "x"))
    names = well(ask("kv", "list", "shop", "pages", "--limit", "3")).split()
    assert names == [b"name0", b"name1", b"name2"]
    rest = well(ask("kv", "list", "shop", "pages", "--after", "name2", "--json")).splitlines()
    assert [json.loads(line)["name"] for line in rest] == ["name3", "name4", "name5", "name6"]


def test_a_value_can_expire(node, ask):
    with Watcher(node.state, "short") as watcher:
        began = time.time()
        well(ask("kv", "put", "shop", "short", "a", "x", "--expires", "2s"))
        entry = json.loads(well(ask("kv", "list", "shop", "short", "--json")))
        assert 2000 <= entry["expires"] - began * 1000 <= (time.time() - began + 2) * 1000
        assert watcher.names(2) == [("put", "a"), ("delete", "a")]
    assert ask("kv", "get", "shop", "short", "a").returncode == 3
    wrong = ask("kv", "put", "shop", "short", "a", "x", "--expires", "soon")
    assert wrong.returncode == 2
    assert b"10m" in wrong.stderr


def test_a_function_and_the_command_see_the_same(node, ask):
    well(ask("kv", "put", "shop", "carts", "ada/mug", "two"))
    answer = node.request(
        "POST", "/", body=b"read /kv/carts/ada/mug\nwrite /kv/carts/%25 odd\nwrite /counters/stock/mug +5\n"
    )
    assert b"two" in answer[2]
    assert well(ask("kv", "get", "shop", "carts", "%")) == b"odd"
    assert well(ask("counter", "get", "shop", "stock", "mug")) == b"5\n"
    assert json.loads(well(ask("counter", "get", "shop", "stock", "none", "--json"))) == {"name": "none", "value": 0}


def test_a_secret_is_set_from_standard_input_and_never_shown(ask):
    assert well(ask("secret", "set", "shop", "RATES_KEY", input=b"open sesame\n")) == b""
    assert well(ask("secret", "list", "shop")) == b"RATES_KEY\n"
    assert ask("secret", "get", "shop", "RATES_KEY").returncode == 2
    assert ask("secret", "set", "shop", "RATES_KEY", "on-the-command-line").returncode == 2
    assert ask("secret", "set", "shop", "RATES_KEY", input=b"\n").returncode == 2
    assert ask("secret", "set", "shop", "7", input=b"x").returncode == 2
    assert well(ask("secret", "remove", "shop", "RATES_KEY")) == b""
    assert ask("secret", "remove", "shop", "RATES_KEY").returncode == 3
    assert well(ask("secret", "list", "shop")) == b""


def test_a_terminal_does_not_show_the_secret(node):
    terminal, other = os.openpty()
    command = [str(CARREL), "secret", "set", "shop", "TYPED", "--state", str(node.state)]
    with subprocess.Popen(command, stdin=other, stdout=other, stderr=other) as process:
        os.close(other)
        said = b""
        while b"TYPED" not in said:
            said += os.read(terminal, 1024)
        end = time.monotonic() + 20
        while echoes(terminal):
            assert time.monotonic() < end
            time.sleep(0.01)
        os.write(terminal, b"open sesame\n")
        with contextlib.suppress(OSError):  # it has gone
            while more := os.read(terminal, 1024):
                said += more
        assert process.wait(20) == 0, said
    assert b"sesame" not in said
    os.close(terminal)


def echoes(terminal):

    return termios.tcgetattr(terminal)[3] & termios.ECHO


def test_what_is_wrong_is_said_with_the_remedy(ask, tmp_path):
    assert b"no tenant of that name" in ask("kv", "list", "other", "carts").stderr
    assert b"a store's name is" in ask("kv", "list", "shop", "Carts!").stderr
    assert ask("kv", "get", "shop", "carts").returncode == 2
    assert ask("kv", "list", "shop", "carts", "a").returncode == 2
    long = ask("kv", "put", "shop", "carts", "a", input=b"x" * ((1 << 20) + 1))
    assert long.returncode == 2
    assert b"1048576" in long.stderr
    nowhere = ask("kv", "list", "shop", "carts", state=tmp_path / "none")
    assert nowhere.returncode == 1
    assert b"no server runs with the state folder" in nowhere.stderr
    assert b"carrel serve" in nowhere.stderr


def test_a_server_is_named_by_options_or_variables(node, tmp_path):
    token = tmp_path / "token"
    token.write_bytes((node.state / "token").read_bytes())
    url = f"http://127.0.0.1:{node.admin_port}"
    where = {"CARREL_STATE": str(tmp_path / "elsewhere")}
    well(carrel("kv", "list", "shop", "carts", "--server", url + "/", "--token-file", token, env=where))
    well(carrel("kv", "list", "shop", "carts", env={**where, "CARREL_SERVER": url, "CARREL_TOKEN_FILE": str(token)}))
    token.write_text("x" * 40)
    refused = carrel("kv", "list", "shop", "carts", "--server", url, "--token-file", token, env=where)
    assert refused.returncode == 1
    assert b"does not know this token" in refused.stderr


def test_the_url_is_there_while_the_server_runs_and_a_stale_one_is_not_called(tmp_path, guests):
    state = tmp_path / "state"
    file = state / "admin.url"
    app = keeper_app(tmp_path / "app", guests)
    with served(app, state) as server:
        assert file.read_text() == f"http://127.0.0.1:{server.admin_port}\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert server.stop() == 0
    assert not file.exists()
    with served(app, state) as server:
        server.process.kill()
    assert file.exists()
    with socket.create_server(("127.0.0.1", server.admin_port)) as other:
        refused = carrel("kv", "list", "shop", "carts", "--state", state)
        assert refused.returncode == 1
        assert b"no server runs with the state folder" in refused.stderr
        other.setblocking(False)
        with pytest.raises(BlockingIOError):  # another program there is not told the token
            other.accept()
    with served(app, state, "off") as server:
        assert not file.exists()
        assert server.stop() == 0
    with served(app, state, "0.0.0.0:0") as server:
        assert file.read_text() == f"http://127.0.0.1:{server.admin_port}\n"
        well(carrel("kv", "list", "shop", "carts", "--state", state))
        assert server.stop() == 0


def test_apps_in_development_are_found_by_their_names(tmp_path, guests):
    state = tmp_path / "state"
    apps = {name: keeper_app(tmp_path / name, guests, name) for name in ("one", "two")}
    with contextlib.ExitStack() as running:
        for app in apps.values():
            running.enter_context(Server(["dev", app.folder, "--port", "0", "--state", state]))
        for name in apps:
            well(carrel("kv", "put", name, "carts", "whose", name, "--state", state))
        for name in apps:
            assert well(carrel("kv", "get", name, "carts", "whose", "--state", state)) == name.encode()


def test_the_storage_of_an_app_binds_what_is_put_by_command(tmp_path, guests):
    state = tmp_path / "state"
    with served(keeper_app(tmp_path / "app", guests, more='storage = "64KiB"\n'), state) as server:
        full = carrel("kv", "put", "shop", "carts", "a", "--state", state, input=b"x" * (65 << 10))
        assert full.returncode == 1
        assert b"quota" in full.stderr
        url = f"http://127.0.0.1:{server.admin_port}/v1/tenants/shop/kv/carts/a"
        headers = {"Authorization": f"Bearer {(state / 'token').read_text().strip()}"}
        answer = requests.put(url, headers=headers, data=b"x" * (65 << 10), timeout=20)
        assert (answer.status_code, answer.json()["code"]) == (507, "quota_exceeded")
        assert carrel("kv", "get", "shop", "carts", "a", "--state", state).returncode == 3
        assert server.stop() == 0


def test_the_status_has_the_figures_of_the_store(node, ask):
    url = f"http://127.0.0.1:{node.admin_port}/v1/status"
    headers = {"Authorization": f"Bearer {(node.state / 'token').read_text().strip()}"}
    before = requests.get(url, headers=headers, timeout=20).json()["store"]
    for i in range(3):
        well(ask("kv", "put", "shop", "figures", f"name{i}", "x"))
    after = requests.get(url, headers=headers, timeout=20).json()["store"]
    assert after["health"] == "well"
    assert after["commits"] >= before["commits"] + 3
    assert after["syncs"] > before["syncs"]
    assert after["bytes_committed"] > before["bytes_committed"]


class Watcher:
    """A `carrel kv watch`; its events as they come."""

    def __init__(self, state, *arguments):
        command = [str(CARREL), "kv", "watch", "shop", *arguments, "--json", "--state", str(state)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.events = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        assert self.next() == {"event": "watching"}

    def _read(self):
        for line in self.process.stdout:
            self.events.put(json.loads(line))

    def next(self):
        return self.events.get(timeout=30)

    def names(self, count):
        return [(event["event"], event["name"]) for event in (self.next() for _ in range(count))]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def test_a_watch_tells_what_functions_and_commands_change_in_order(node, ask):
    with Watcher(node.state, "carts", "--prefix", "w") as watcher:
        well(ask("kv", "put", "shop", "carts", "w1", "x"))
        well(ask("kv", "put", "shop", "carts", "other", "x"))
        well(ask("kv", "put", "shop", "trip", "w1", "x"))
        node.request("POST", "/", body=b"write /kv/carts/w3 x\nwrite /kv/carts/w2 x\n")
        node.request("POST", "/", body=b"write /kv/carts/w4 x\ntrap\n")
        well(ask("kv", "delete", "shop", "carts", "w1"))
        assert watcher.names(4) == [("put", "w1"), ("put", "w2"), ("put", "w3"), ("delete", "w1")]
        assert watcher.events.empty()


def test_versions_of_a_watch_never_fall(node, ask):
    with Watcher(node.state, "carts") as watcher:
        for i in range(5):
            well(ask("kv", "put", "shop", "carts", f"v{i}", "x"))
        versions = [watcher.next()["version"] for _ in range(5)]
        assert versions == sorted(set(versions))


def test_the_end_of_the_server_ends_a_watch(tmp_path, guests):
    state = tmp_path / "state"
    for end in (signal.SIGTERM, signal.SIGKILL):
        with served(keeper_app(tmp_path / "app", guests), state) as server, Watcher(state, "carts") as watcher:
            server.process.send_signal(end)
            assert watcher.process.wait(30) == 1
            assert "the server ended the watch" in watcher.process.stderr.read()


def test_a_watcher_that_does_not_read_is_told_of_the_gap_and_delays_nobody(node, ask):
    token = (node.state / "token").read_text().strip()
    head = f"GET /v1/tenants/shop/kv/carts?watch HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    many = b"".join(b"write /kv/carts/%s%d x\n" % (b"n" * 200, i) for i in range(1000))
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(30)
        slow.connect(("127.0.0.1", node.admin_port))
        slow.sendall(head.encode())
        said = b""
        while b"event: watching" not in said:
            said += slow.recv(4096)
        for _ in range(50):
            assert node.request("POST", "/", body=many)[0] == 200
        end = time.monotonic() + 60
        while b"event: gap" not in said[-10_000:]:
            assert time.monotonic() < end, said[-1000:]
            said += slow.recv(4096)
    wait_for_watches(node, {"Authorization": f"Bearer {token}"}, 0)


def wait_for_watches(node, headers, most):
    """Watches that have ended are noticed with the next commit."""
    end = time.monotonic() + 30
    while True:
        carrel("kv", "put", "shop", "trip", "tick", "x", "--state", node.state)
        url = f"http://127.0.0.1:{node.admin_port}/v1/status"
        if requests.get(url, headers=headers, timeout=20).json()["store"]["watches"] <= most:
            return
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_bounded_number_may_watch(node):
    url = f"http://127.0.0.1:{node.admin_port}/v1/tenants/shop/kv/carts?watch"
    headers = {"Authorization": f"Bearer {(node.state / 'token').read_text().strip()}"}
    with contextlib.ExitStack() as watching:
        for _ in range(16):
            answer = watching.enter_context(requests.get(url, headers=headers, stream=True, timeout=60))
            assert answer.status_code == 200
        refused = carrel("kv", "watch", "shop", "carts", "--state", node.state)
        assert refused.returncode == 1
        assert b"16 of this tenant watch already" in refused.stderr
    wait_for_watches(node, headers, 0)


def test_only_values_are_watched_and_with_get(node):
    headers = {"Authorization": f"Bearer {(node.state / 'token').read_text().strip()}"}
    url = f"http://127.0.0.1:{node.admin_port}/v1/tenants/shop"
    assert requests.get(url + "/secrets?watch", headers=headers, timeout=20).status_code == 400
    assert requests.head(url + "/kv/carts?watch", headers=headers, timeout=20).status_code == 400
    assert requests.get(url + "/kv/carts?watch=no", headers=headers, timeout=20).status_code == 400
    assert requests.get(url + "/kv/carts?watch", timeout=20).status_code == 401
