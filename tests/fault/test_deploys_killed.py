"""The server is killed while versions are deployed: what was acknowledged is live, and nothing is half there."""

import random
import subprocess
import threading
import time

import pytest
from bank import ROUNDS
from deploying import Node, app_of, change

from support import CARREL


class Deployer(threading.Thread):
    """Deploys one version after the other until the server is gone."""

    def __init__(self, node, folder, first):
        super().__init__()
        self.node, self.next, self.live, self.begun = node, first, None, None
        self.app = app_of(folder, "0")
        self.start()

    def run(self):
        while True:
            body = f"version {self.next}"
            change(self.app, body)
            (self.app.folder / "assets").mkdir(exist_ok=True)
            (self.app.folder / "assets" / "large").write_bytes(random.Random(body).randbytes(2_500_000))
            self.begun = body
            if self.node.run("deploy", self.app.folder).returncode != 0:
                return
            self.live = body
            self.next += 1


@pytest.mark.parametrize("seed", range(2))
def test_what_was_acknowledged_is_live_after_a_kill(tmp_path, seed):
    pick = random.Random(seed)
    state, first, live = tmp_path / "state", 1, None
    for round_number in range(max(ROUNDS // 10, 3)):
        with Node(state) as node:
            if live is not None:
                assert node.get("shop.localhost") == (200, live)
            deployer = Deployer(node, tmp_path / f"app{round_number}", first)
            time.sleep(pick.uniform(0.05, 1.0))
            node.server.process.kill()
            node.server.process.wait()
            deployer.join()
        checked = subprocess.run(
            [str(CARREL), "store", "check", "--state", str(state)], capture_output=True, text=True, timeout=60
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr
        with Node(state) as node:
            status, body = node.get("shop.localhost")
            acknowledged = deployer.live or live
            if acknowledged is None and status == 404:
                continue
            assert status == 200
            assert body in (acknowledged, deployer.begun), (body, acknowledged, deployer.begun)
            live, first = body, deployer.next + 1
