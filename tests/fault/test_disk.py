"""A disk that fails: writes, syncs and room. What was acknowledged stays; what is read is on the disk."""

import errno
import os
import subprocess
import time

import pytest
from bank import Ledger, Load, Told, code_of
from disk import Disk

from support import CARREL


@pytest.fixture
def faulty(bank, library, tmp_path):
    """A bank on a disk that fails on demand: (bank, disk)."""
    store = tmp_path / "bank0/state/store"
    disk = Disk(tmp_path / "disk", library, store)
    shop = bank(env=disk.env)
    assert shop.store == store
    return shop, disk


def recovers(shop, told):
    numbers = iter(range(1, 10**6))
    shop.until(lambda: told.order(shop, next(numbers)), "a turn after the fault")


def under_fault(shop, disk, expected, **fault):
    """Load, the fault in the middle of it, and its end: nothing acknowledged is lost."""
    ledger = Ledger(shop, 1_000_000)
    load = Load(shop, "faulty", connections=16)
    time.sleep(0.3)
    disk.set(**fault)
    shop.until(lambda: disk.get("faults") > 0, "a fault")
    time.sleep(0.1)
    with load.lock:
        failing = load.next  # whatever is sent from now on
    time.sleep(0.5)
    with load.lock:
        acknowledged = [n for n in load.done if n >= failing]
    assert not acknowledged, "acknowledged while the disk fails"
    status, text = shop.ask("cat", "/counters/stock/left")
    assert status == 200, ("reads go on", status, text)
    disk.heal()
    after = Told("after")
    recovers(shop, after)
    load.stop()
    assert disk.get("faults") > 0
    assert load.refused
    assert set(load.refused) <= expected, load.refused.keys()
    ledger.check(shop, load, after)
    shop.kill()
    shop.start()
    ledger.check(shop, load, after)


# "unavailable": the guest could not read while the store was opened again.
UNKNOWN = {(503, "commit_unknown"), (503, "store_failed"), (503, "unavailable")}


def test_after_a_failed_sync_nothing_is_acknowledged_until_it_is_open_again(faulty):
    under_fault(*faulty, UNKNOWN, sync_error=errno.EIO)


def test_a_failing_write_is_a_503_and_nothing_happened(faulty):
    under_fault(*faulty, UNKNOWN, write_error=errno.EIO)


def test_a_full_disk_is_a_507_and_passes(faulty):
    under_fault(*faulty, UNKNOWN | {(507, "store_full")}, write_error=errno.ENOSPC)


def test_a_write_that_stops_half_way_leaves_nothing(faulty):
    under_fault(*faulty, UNKNOWN, short_write=1, after_short=errno.EIO)


def test_a_lone_turn_on_a_full_disk_is_told_so(faulty):
    shop, disk = faulty
    Ledger(shop, 10)
    shop.get("order", "before", 1)
    disk.set(write_error=errno.ENOSPC)
    status, text = shop.ask("order", "full", 1)
    assert (status, code_of(text)) in {(507, "store_full"), (503, "commit_unknown")}, text
    status, text = shop.ask("order", "full", 2)
    assert (status, code_of(text)) in {(507, "store_full"), (503, "store_failed")}, text
    assert shop.get("cat", "/kv/orders/before/1") == "order 1"
    disk.set(write_error=0)
    recovers(shop, Told("room"))
    assert "errno 44" in shop.get("cat", "/kv/orders/full/2")


# Damage.


def settle(shop, rounds=3, size=20000):
    """Enough in the store that its files are there."""
    for i in range(rounds):
        shop.get("many", f"/kv/many/{i}", 100, size)


def flip(path, at):
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0x10]))


def check(shop):
    return subprocess.run(
        [CARREL, "store", "check", "--state", shop.state], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def test_flipped_bits_in_the_middle_of_the_log_are_not_passed_over(bank):
    shop = bank()
    settle(shop)
    shop.kill()
    log = max((shop.store / "db").glob("*.log"), key=lambda path: path.stat().st_size)
    end = len(log.read_bytes().rstrip(b"\0"))
    flip(log, end // 2)
    with pytest.raises(AssertionError) as refused:
        shop.start()
    assert "is damaged" in str(refused.value)
    assert "store check" in str(refused.value)


def test_flipped_bits_in_a_table_are_found_and_never_served(bank):
    shop = bank()
    settle(shop)
    # Opened again, the log has become a table.
    shop.kill()
    shop.start()
    shop.stop()
    tables = sorted((shop.store / "db").glob("*.sst"), key=lambda path: path.stat().st_size)
    assert tables
    assert check(shop).returncode == 0
    table = tables[-1]
    flip(table, table.stat().st_size // 3)
    checked = check(shop)
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert table.name in checked.stdout + checked.stderr
    shop.start()
    damaged = 0
    for i in range(3):
        for n in range(100):
            status, text = shop.ask("cat", f"/kv/many/{i}/{n:08}")
            if status == 200:
                assert text == "m" * 20000, "damaged data was served"
            else:
                damaged += 1
                assert (status, code_of(text)) == (500, "data_corrupt"), text
    assert damaged > 0
    assert "data_corrupt" in shop.server.log
    assert os.path.exists(table)
