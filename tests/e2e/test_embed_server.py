"""libcarrel at a local server's socket: the same calls, modules with state, and a server that is not there."""

import json
import os
import socket
import stat
import subprocess
import threading

import pytest
from test_embed import Programs

from test_hook_events import Shop


class LocalShop(Shop):
    """Points that are called and one that is told of events, on a port and on a socket."""

    def __init__(self, folder):
        super().__init__(folder)
        self.socket = folder / "hooks.sock"
        self.app.text += '[module.quick]\nsource = "hook.wasm"\nlimits = { memory = "4MiB" }\n'
        for name, module, act in (
            ("echo", "quick", "echo"),
            ("keep", "keeper", "keep"),
            ("sleep", "act", "sleep"),
            ("trap", "act", "trap"),
        ):
            self.app.text += f'\n[[hook]]\npoint = "{name}"\ncombine = "first"\non_failure = "fail"\n'
            self.app.text += f'[[hook.bind]]\nmodule = "{module}"\nname = "one"\n'
            self.app.text += f'config = {{ ACT = "{act}", ANSWER = "{{}}" }}\n'
        self.point("ordered", bindings=['module = "keeper"\nname = "count"\nconfig = { ACT = "keep" }\n'])

    def start(self, *more, state=None):
        return super().start("--data-socket", self.socket, *more, state=state)


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    return Programs(tmp_path_factory.mktemp("programs"))


@pytest.fixture
def shop(tmp_path):
    shop = LocalShop(tmp_path).start()
    yield shop
    shop.server.stop()


class Session:
    """The program `socket`: a line in, a line out."""

    def __init__(self, programs, where, token=""):
        self.process = subprocess.Popen(
            [programs.build("socket.c"), f"unix:{where}", token],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "XDG_CACHE_HOME": str(programs.work / "cache")},
        )

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self):
        """What is left to read, and the exit status."""
        text, _ = self.process.communicate(timeout=60)
        return text.strip(), self.process.returncode


def test_modules_of_a_server_are_called_and_keep_state(programs, shop):
    session = Session(programs, shop.socket, shop.token)
    output, details = session.say('call echo 0 {"n": 1.50, "s": ",\\"runs\\":["}').rsplit(' {"runs"', 1)
    assert output == '{"n": 1.50, "s": ",\\"runs\\":["}'
    assert '"status":"answered"' in details
    assert session.say("call keep 0 {}").startswith("{} ")
    assert json.loads(session.say("points").rsplit(" ", 1)[0])["app"] == "shop"
    assert session.say("threads echo {}") == "400"
    assert session.end() == ("", 0)


def test_events_are_kept_before_the_call_returns(programs, shop):
    session = Session(programs, shop.socket, shop.token)
    told = json.loads(session.say('emit ordered {"order": 1}').rsplit(" ", 1)[0])
    assert told["deliveries"] == 1
    assert session.say("emit echo {}").startswith("invalid_argument: ")
    assert session.end() == ("", 0)


def test_failures_are_named(programs, shop):
    session = Session(programs, shop.socket, shop.token)
    assert session.say("call nobody 0 {}").startswith("not_found: ")
    assert session.say("call no/../body 0 {}").startswith("not_found: ")
    trap = session.say("call trap 0 {}")
    assert trap.startswith("guest_trapped: ") and '"binding":"one"' in trap
    assert session.say("call sleep 50 {}").split(":")[0] == "hook_late"
    assert session.say("call echo 0 {").startswith("hook_input: ")
    assert session.say("provide").startswith("unsupported: ")
    assert session.end() == ("", 0)


def test_a_wrong_token_or_no_server_is_said_at_open(programs, shop, tmp_path):
    assert Session(programs, shop.socket, "wrong").end()[0].startswith("unauthenticated: ")
    assert Session(programs, shop.socket).end()[0].startswith("unauthenticated: ")
    text, status = Session(programs, tmp_path / "none.sock", shop.token).end()
    assert text.startswith("unavailable: ") and "none.sock" in text and status == 1
    assert Session(programs, tmp_path / ("x" * 200), shop.token).end()[0].startswith("unavailable: ")


def test_a_server_that_comes_back_is_called_again(programs, shop):
    session = Session(programs, shop.socket, shop.token)
    assert session.say("call echo 0 {}").startswith("{} ")
    shop.server.stop()
    assert session.say("call echo 0 {}").startswith("unavailable: ")
    shop.start()
    assert session.say("call echo 0 {}").startswith("{} ")
    assert session.end() == ("", 0)


@pytest.mark.parametrize("answer", [b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", b""])
def test_who_is_no_server_is_not_believed(programs, tmp_path, answer):
    path = tmp_path / "other.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve():
            for _ in range(2):
                client, _ = listener.accept()
                client.recv(4096)
                client.sendall(answer)
                client.close()

        threading.Thread(target=serve, daemon=True).start()
        session = Session(programs, path, "token")
        if b"200" in answer:  # it may look like one until a point is called
            assert session.say("call echo 0 {}").startswith("unavailable: ")
        else:
            assert session.end()[0].startswith("unavailable: ")
        session.end()


def test_the_socket_is_the_servers_own(shop, run_carrel, tmp_path):
    assert stat.S_IMODE(shop.socket.stat().st_mode) == 0o660
    words = ["serve", shop.app.folder, "--port", "0", "--admin", "off", "--state", tmp_path / "other", "--data-socket"]
    refused = run_carrel(*words, shop.socket)
    assert refused.returncode != 0 and "another server listens there" in refused.stderr
    file = tmp_path / "file"
    file.write_text("mine")
    refused = run_carrel(*words, file)
    assert refused.returncode != 0 and "there is a file of that name" in refused.stderr
    assert file.read_text() == "mine"
    shop.kill()
    assert shop.socket.exists()  # left behind
    shop.start()
    shop.server.stop()
    assert not shop.socket.exists()
