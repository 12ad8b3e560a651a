"""What a server's memory holds of a secret once it is set: nothing."""

import os
import re
import secrets
import subprocess
import time

import pytest
import requests
from wat import guest

from support import CARREL, App, Server

LARGEST = 256 << 20  # of a mapping that is read; larger ones are the engine's reserve


def occurrences(pid, *wanted):
    """How often one of these is in the memory of a process."""
    found = 0
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            start, end, rights = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
            start, end = int(start, 16), int(end, 16)
            if not rights.startswith("rw") or end - start > LARGEST:
                continue
            try:
                memory.seek(start)
                held = memory.read(end - start)
            except OSError:
                continue  # it has gone meanwhile
            found += sum(held.count(one) for one in wanted)
    return found


@pytest.fixture
def node(tmp_path):
    app = App(tmp_path / "app", "shop").wat("page", guest()).route("GET /", "page")
    with Server(
        ["serve", app.folder, "--port", "0", "--admin", "127.0.0.1:0", "--state", tmp_path / "state"]
    ) as server:
        server.state = tmp_path / "state"
        try:
            open(f"/proc/{server.process.pid}/mem", "rb").close()
        except PermissionError:
            pytest.skip("only root may look into a process that cannot be dumped")
        yield server
        assert server.stop() == 0, server.log


def wiped(node, *pieces):
    """A connection is given up some time after its end."""
    end = time.monotonic() + 5
    while found := occurrences(node.process.pid, *pieces):
        assert time.monotonic() < end, found
        time.sleep(0.05)


def set_by_api(node, name, secret):
    token = (node.state / "token").read_text().strip()
    answer = requests.put(
        f"http://127.0.0.1:{node.admin_port}/v1/tenants/shop/secrets/{name}",
        headers={"Authorization": f"Bearer {token}"},
        data=secret,
        timeout=20,
    )
    assert answer.status_code == 204, answer.text


def test_the_search_finds_what_is_there(node):
    wanted = secrets.token_hex(20).encode()
    assert occurrences(os.getpid(), wanted) > 0
    assert occurrences(node.process.pid, wanted) == 0
    assert occurrences(node.process.pid, b"shop") > 0


@pytest.mark.parametrize("size", [20, 5000, 60_000])
def test_a_secret_that_was_set_is_nowhere_in_the_servers_memory(node, size):
    # A function that is called for the first time is looked up, which saves what is in vector registers.
    for name in ("WARM", "WARMER"):
        set_by_api(node, name, b"-" * size)
    secret = secrets.token_hex(size // 2).encode()
    set_by_api(node, "BY_API", secret)
    pieces = (secret[:20], secret[size // 2 :][:20], secret[-20:])
    wiped(node, *pieces)
    command = [CARREL, "secret", "set", "shop", "BY_COMMAND", "--state", node.state]
    subprocess.run(command, input=secret, check=True, timeout=20)
    wiped(node, *pieces)
