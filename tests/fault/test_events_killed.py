"""The server is killed while it takes and delivers events: each that was acknowledged arrives, none is done twice."""

import random
import subprocess
import threading
import time

import pytest
from bank import ROUNDS

from receiver import Receiver
from support import CARREL, GUESTS, serving
from test_hook_endpoints import NEW, endpoint, verify
from test_hook_events import Shop, keeper, until


def carrel(*words, text=""):
    return subprocess.run([CARREL, *map(str, words)], input=text, capture_output=True, text=True, timeout=120)


class Emitters:
    """Emit events, each under a key of its own, until the server is gone."""

    def __init__(self, shop, name, threads=3):
        self.shop, self.name = shop, name
        self.ids = {}  # by key; None: nobody knows whether it was taken
        self.strange = []
        self.threads = [threading.Thread(target=self.work, args=(number,)) for number in range(threads)]
        for thread in self.threads:
            thread.start()

    def work(self, number):
        for i in range(10_000):
            if not self.emit(f"{self.name}-{number}-{i}"):
                return

    def emit(self, key):
        self.ids.setdefault(key, None)
        try:
            status, made, _ = self.shop.emit("told", {"key": key}, idempotency_key=key)
        except OSError:
            return False
        except Exception as error:  # what http.client makes of half an answer
            assert type(error).__module__ == "http.client", error
            return False
        if status != 202 or self.ids[key] not in (None, made["id"]):
            self.strange.append((key, status, made))
        self.ids[key] = made.get("id")
        return True

    def wait(self):
        for thread in self.threads:
            thread.join()


@pytest.fixture
def receiver():
    with serving(Receiver()) as made:
        # Now and then it fails, as others' servers do.
        made.answers["/told"] = random.choices([200, 500, "close"], [8, 1, 1], k=2000) + [200]
        yield made


def test_events_taken_while_the_server_is_killed_all_arrive(tmp_path, receiver):
    if not (GUESTS / "hook.wasm").is_file():
        pytest.skip("the module is not built")
    shop = Shop(tmp_path)
    waits = ", ".join(['"10ms"'] * 20)
    shop.point("told", f"retry = [{waits}]", [keeper(), endpoint(f"{receiver.url}/told")])
    shop.start("--allow-egress", "127.0.0.0/8")
    assert carrel("secret", "set", "shop", "KEY", "--state", shop.state, text=NEW).returncode == 0
    ids = {}
    for round_number in range(ROUNDS or 5):
        emitters = Emitters(shop, f"r{round_number}")
        time.sleep(random.uniform(0.05, 0.7))
        shop.kill()
        emitters.wait()
        shop.start("--allow-egress", "127.0.0.0/8")
        for key in [key for key, name in emitters.ids.items() if name is None]:
            assert emitters.emit(key)  # who does not know sends again
        assert emitters.strange == []
        ids.update(emitters.ids)
    until(lambda: shop.listed("told", "open") == [], 120)
    assert shop.listed("told") == []
    assert shop.count(carrel) == len(ids)  # the module's write and its acknowledgement are one
    seen = receiver.at("/told")
    assert {each.headers["webhook-id"] for each in seen} == set(ids.values())
    for each in seen:
        verify(each)
    assert shop.server.stop() == 0
    checked = carrel("store", "check", "--state", shop.state)
    assert checked.returncode == 0, checked.stdout
