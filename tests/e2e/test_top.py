"""`carrel top`: once as text, as JSON, and live on a terminal."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest
from wat import guest

from support import CARREL, App, Server


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    folder = tmp_path_factory.mktemp("top")
    app = App(folder / "app", "shop").wat("page", guest()).wat("bad", guest(trap=True))
    app.route("GET /", "page").route("GET /bad", "bad")
    with Server(["serve", app.folder, "--port", "0", "--admin", "127.0.0.1:0", "--state", folder / "state"]) as server:
        server.state = folder / "state"
        for _ in range(3):
            server.get("/")
        server.get("/bad")
        yield server
        assert server.stop() == 0


def top(node, *options):
    command = [str(CARREL), "top", "--state", str(node.state), "--interval", "300ms", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_rates_are_those_between_two_looks(node):
    watched = subprocess.Popen(
        [str(CARREL), "top", "--state", str(node.state), "--json", "--interval", "1s"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert json.loads(watched.stdout.readline())["ready"] is True
        for _ in range(20):
            node.get("/")
        looks = [json.loads(watched.stdout.readline()) for _ in range(2)]
    finally:
        watched.kill()
        watched.wait()
    (app,) = [max(look["apps"], key=lambda app: app["turns_per_second"]) for look in looks[:1]]
    assert (app["tenant"], app["app"]) == ("shop", "shop")
    total = sum(look["turns_per_second"] for look in looks)
    assert 15 <= total <= 21
    assert sum(look["requests_per_second"] for look in looks) == pytest.approx(total, abs=2)
    assert 0 < app["mean_seconds"] < 5 and app["cpu"] > 0


def test_once_is_a_table_without_anything_for_a_terminal(node):
    shown = top(node, "--once")
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0].startswith("carrel ") and "ready" in lines[0]
    assert re.search(r"TENANT/APP +TURNS/S +FAILED/S +MEAN +CPU", shown.stdout)
    assert any(line.startswith("shop/shop ") for line in lines)
    assert "\x1b" not in shown.stdout


def test_what_cannot_be_shown_is_said(node, tmp_path):
    shown = top(node)  # no terminal
    assert shown.returncode == 1
    assert "--once" in shown.stderr
    assert "\x1b" not in shown.stdout
    nowhere = subprocess.run([str(CARREL), "top", "--state", str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert nowhere.returncode != 0 and nowhere.stderr.startswith("carrel: ")
    assert top(node, "--interval", "1us").returncode == 2


class Terminal:
    """`carrel top` on a terminal of its own."""

    def __init__(self, node, columns=100, rows=30):
        self.master, slave = pty.openpty()
        self.resize(columns, rows, tell=False)
        self.before = termios.tcgetattr(slave)
        command = [str(CARREL), "top", "--state", str(node.state), "--interval", "200ms"]
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        self.slave = slave
        self.seen = b""

    def resize(self, columns, rows, tell=True):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            self.process.send_signal(28)  # SIGWINCH: it is not its controlling terminal

    def frames(self, count, seconds=20):
        """The next whole pictures, as lists of lines."""
        self.seen = b""
        end = time.monotonic() + seconds
        while self.seen.count(b"\x1b[J") < count + 1:
            assert time.monotonic() < end, self.seen
            self.read()
        parts = self.seen.split(b"\x1b[H")[1 : count + 1]
        shown = [part.split(b"\x1b[J")[0].replace(b"\x1b[K", b"").replace(b"\r", b"") for part in parts]
        return [frame.decode().split("\n") for frame in shown]

    def read(self, seconds=1):
        if select.select([self.master], [], [], seconds)[0]:
            self.seen += os.read(self.master, 65536)

    def end(self):
        status = self.process.wait(20)
        self.read(0.2)
        after = termios.tcgetattr(self.slave)
        os.close(self.slave)
        os.close(self.master)
        assert after == self.before
        return status


@pytest.mark.parametrize("how", ["q", "ctrl-c", "terminated"])
def test_it_is_live_until_it_is_told_to_end_and_leaves_the_terminal_as_it_was(node, how):
    terminal = Terminal(node)
    first, *_ = terminal.frames(1)
    assert first[0].startswith("carrel ")
    (after,) = terminal.frames(1)
    assert any(line.startswith("shop/shop") for line in after)
    assert termios.tcgetattr(terminal.slave)[3] & termios.ECHO == 0
    terminal.seen = b""
    if how == "terminated":
        terminal.process.terminate()
    else:
        os.write(terminal.master, b"q" if how == "q" else b"\x03")
    assert terminal.end() == 0
    assert terminal.seen.endswith(b"\x1b[?25h\x1b[?1049l")


def test_a_smaller_terminal_is_not_overrun_and_keys_sort(node):
    terminal = Terminal(node)
    terminal.frames(1)
    terminal.resize(40, 4)
    time.sleep(0.5)
    terminal.frames(1)
    (small,) = terminal.frames(1)
    assert len(small) <= 4
    assert all(len(line) <= 40 for line in small)
    os.write(terminal.master, b"cftx")
    terminal.frames(2)
    os.write(terminal.master, b"q")
    assert terminal.end() == 0
