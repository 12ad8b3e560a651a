"""The server is killed while it works: what was acknowledged is there, and nothing by halves."""

import random
import time

from bank import ROUNDS, Ledger, Load


def test_kill_at_random_moments_under_load(bank):
    shop = bank()
    ledger = Ledger(shop, 1_000_000)
    acknowledged = 0
    for round_number in range(ROUNDS or 5):
        load = Load(shop, f"r{round_number}")
        time.sleep(random.uniform(0.02, 0.8))
        shop.kill()
        load.wait()
        acknowledged += len(load.done)
        assert not load.refused, load.refused.keys()
        shop.start()
        ledger.check(shop, load)
    assert acknowledged > 0
    shop.restart()
    ledger.check(shop)


def test_kill_again_while_it_starts(bank):
    shop = bank()
    ledger = Ledger(shop, 1_000_000)
    load = Load(shop, "first")
    time.sleep(0.5)
    shop.kill()
    load.wait()
    for _ in range(max(3, ROUNDS // 10)):
        shop.start()
        shop.kill()
    shop.start()
    ledger.check(shop, load)


def newest_log(shop):
    return max((shop.store / "db").glob("*.log"), key=lambda path: path.stat().st_mtime_ns)


def test_a_torn_last_record_loses_only_what_was_not_acknowledged(bank):
    shop = bank()
    ledger = Ledger(shop, 1_000_000)
    load = Load(shop, "whole", connections=4)
    time.sleep(0.3)
    load.stop()
    torn = shop.get("order", "torn", 1)
    assert torn
    shop.kill()
    log = newest_log(shop)
    # The log may be longer than what was written into it; what is after the last record is zeros.
    end = len(log.read_bytes().rstrip(b"\0"))
    with log.open("r+b") as file:
        file.truncate(end - 5)
    shop.start()
    assert shop.get("list", "/kv/orders/torn", "count").strip() == "0"
    ledger.check(shop, load)
    shop.get("order", "torn", 2)
