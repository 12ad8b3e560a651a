"""Two tenants with the same stores and names never meet."""

import random

from bank import ROUNDS

# What sorts, splits or ends oddly.
PIECES = ["a", "b", "bank", "kv", "%00", "%01", "%ff", "%c3%bf", "%2e", "%2e%2e", "%25", "~", "!", "\u00e9", "z" * 40]


def name(pick):
    parts = ["".join(pick.choice(PIECES) for _ in range(pick.randint(1, 4))) for _ in range(pick.randint(1, 3))]
    return "/".join(parts)


def encoded(text):
    return text.replace("\u00e9", "e")


def test_tenants_with_the_same_names_never_meet(bank):
    seed = random.randrange(1 << 32)
    pick = random.Random(seed)
    # Names of which one is the beginning of another.
    tenants = ("bank", "bank2", "ban")
    shop = bank(*tenants)
    wanted = {tenant: {} for tenant in tenants}
    for i in range(ROUNDS * 20 or 150):
        tenant, key = pick.choice(tenants), encoded(name(pick))
        status, text = shop.ask("write", f"/kv/names/{key}", f"{tenant}-{i}", "keep", app=tenant)
        assert status == 200, (seed, key, text)
        if text == "ok\n":
            wanted[tenant][key] = f"{tenant}-{i}"
    for again in (False, True):
        if again:
            shop.restart()
        for key in {key for values in wanted.values() for key in values}:
            for tenant in tenants:
                status, text = shop.ask("cat", f"/kv/names/{key}", app=tenant)
                assert status == 200, (seed, key, text)
                if key in wanted[tenant]:
                    assert text == wanted[tenant][key], (seed, tenant, key)
                else:
                    assert text.startswith("errno"), (seed, tenant, key, text)


def test_counters_of_tenants_are_their_own(bank):
    shop = bank("left", "right")
    for tenant, delta in (("left", "+5"), ("right", "+7"), ("left", "+1")):
        shop.get("write", "/counters/stock/same", delta, app=tenant)
    assert int(shop.get("cat", "/counters/stock/same", app="left")) == 6
    assert int(shop.get("cat", "/counters/stock/same", app="right")) == 7
