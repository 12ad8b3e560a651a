"""A backup made while the server works: every turn acknowledged before it is in it, and none by halves."""

import http.client
import json
import subprocess

from bank import Ledger, Load

from support import CARREL


def back_up(shop, folder):
    """(status, answer) of the API."""
    connection = http.client.HTTPConnection("127.0.0.1", shop.server.admin_port, timeout=60)
    try:
        token = (shop.state / "token").read_text().strip()
        connection.request(
            "POST",
            "/v1/store:backup",
            body=json.dumps({"folder": str(folder)}),
            headers={"Authorization": f"Bearer {token}"},
        )
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def carrel(*arguments):
    done = subprocess.run([CARREL, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_backup_under_load_is_whole_and_has_what_was_acknowledged(bank, tmp_path):
    shop = bank(admin=True)
    ledger = Ledger(shop, 1_000_000)
    load = Load(shop, "load", connections=8)
    shop.until(lambda: len(load.done) > 50, "orders")
    for number in range(3):
        with load.lock:
            before = set(load.done)
        assert back_up(shop, tmp_path / f"backup{number}") == (201, {"folder": str(tmp_path / f"backup{number}")})
    load.stop()
    assert load.done > before, "nothing was ordered while it was made"
    status, problem = back_up(shop, tmp_path / "backup2")
    assert (status, problem["code"]) == (409, "already_exists")
    status, problem = back_up(shop, shop.store / "parts" / "backup")
    assert (status, problem["code"]) == (400, "invalid_argument")
    shop.stop()

    assert json.loads(carrel("store", "check", tmp_path / "backup2", "--json"))["problems"] == 0
    shop.store.rename(tmp_path / "gone")
    carrel("store", "restore", tmp_path / "backup2", "--state", shop.state)
    shop.start()
    load.done, load.refused = before, {}  # what came later may be in it or not
    ledger.check(shop, load)
    shop.get("order", "after", 1)
    shop.stop()
    assert json.loads(carrel("store", "check", "--state", shop.state, "--json"))["problems"] == 0
