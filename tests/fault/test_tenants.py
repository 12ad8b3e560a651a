"""Two tenants with the same stores and names never meet."""

import base64
import json
import random
import urllib.parse

import pytest
from bank import ROUNDS

# What sorts, splits or ends oddly.
PIECES = ["a", "b", "bank", "kv", "%00", "%01", "%ff", "%c3%bf", "%2e", "%2e%2e", "%25", "~", "!", "z" * 40]
# Names of which one is the beginning of another.
TENANTS = ("bank", "bank2", "ban")


def name(pick):
    parts = ["".join(pick.choice(PIECES) for _ in range(pick.randint(1, 4))) for _ in range(pick.randint(1, 3))]
    return "/".join(parts)


class Guest:
    """Writes and reads as the tenant's function."""

    def __init__(self, shop, kind):
        self.shop, self.kind = shop, kind

    def write(self, tenant, key, text):
        status, answer = self.shop.ask("write", f"/{self.kind}/names/{key}", text, "keep", app=tenant)
        assert status == 200, (key, answer)
        return answer == "ok\n"

    def read(self, tenant, key):
        status, answer = self.shop.ask("cat", f"/{self.kind}/names/{key}", app=tenant)
        assert status == 200, (key, answer)
        return None if answer.startswith("errno") else answer


class Api:
    """Writes and reads as the operator."""

    def __init__(self, shop, kind):
        self.shop, self.kind = shop, kind

    def write(self, tenant, key, text):
        status, answer = self.shop.call("PUT", f"{tenant}/{self.kind}/names/{key}", text)
        assert status in (204, 400), (key, answer)
        return status == 204

    def read(self, tenant, key):
        status, answer = self.shop.call("GET", f"{tenant}/{self.kind}/names/{key}")
        assert status in (200, 400, 404), (key, answer)
        return answer.decode() if status == 200 else None


def fill(shop, kind, writers, pick):
    """What each tenant was told is kept."""
    wanted = {tenant: {} for tenant in TENANTS}
    for i in range(ROUNDS * 20 or 100):
        tenant, key = pick.choice(TENANTS), name(pick)
        if kind != "counters":
            text = f"{tenant}-{i}"
            if pick.choice(writers).write(tenant, key, text):
                wanted[tenant][key] = text
        elif pick.choice(writers).write(tenant, key, f"+{i + 1}"):
            wanted[tenant][key] = wanted[tenant].get(key, 0) + i + 1
    return wanted


def check(wanted, readers, said):
    for key in {key for values in wanted.values() for key in values}:
        for tenant in TENANTS:
            for reader in readers:
                found = reader.read(tenant, key)
                assert found == said(wanted[tenant].get(key)), (tenant, key, reader)


def listing(shop, tenant):
    page = {"next": ""}
    while "next" in page:
        page = json.loads(shop.call("GET", f"{tenant}/kv/names?limit=20&after={page['next']}")[1])
        yield from map(name_of, page["values"])


def name_of(value):
    return value["name"].encode() if "name" in value else base64.b64decode(value["name64"])


@pytest.mark.parametrize("kind", ["kv", "blobs"])
def test_tenants_with_the_same_names_never_meet(bank, kind):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    shop = bank(*TENANTS, admin=True)
    both = [Guest(shop, kind), Api(shop, kind)] if kind == "kv" else [Guest(shop, kind)]
    wanted = fill(shop, kind, both, random.Random(seed))
    check(wanted, both, lambda text: text)
    if kind == "kv":
        for tenant in TENANTS:
            names = {urllib.parse.unquote_to_bytes(key) for key in wanted[tenant]}
            assert set(listing(shop, tenant)) == names
    shop.restart()
    check(wanted, both, lambda text: text)


def test_counters_of_tenants_are_their_own(bank):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    shop = bank(*TENANTS, admin=True)
    guest, api = Guest(shop, "counters"), Api(shop, "counters")
    wanted = fill(shop, "counters", [guest], random.Random(seed))
    for _ in range(2):
        for key in {key for counts in wanted.values() for key in counts}:
            for tenant in TENANTS:
                count = wanted[tenant].get(key, 0)
                assert int(guest.read(tenant, key) or 0) == count, (tenant, key)
                assert json.loads(api.read(tenant, key))["value"] == count, (tenant, key)
        shop.restart()


def test_secrets_of_tenants_are_their_own(bank):
    shop = bank(*TENANTS, admin=True)
    for tenant in TENANTS[:2]:
        assert shop.call("PUT", f"{tenant}/secrets/KEY", f"of {tenant}")[0] == 204
    for _ in range(2):
        for tenant in TENANTS[:2]:
            assert shop.get("cat", "/secrets/KEY", app=tenant) == f"of {tenant}"
        assert shop.get("cat", "/secrets/KEY", app=TENANTS[2]).startswith("errno")
        assert json.loads(shop.call("GET", f"{TENANTS[2]}/secrets")[1]) == {"secrets": []}
        shop.restart()
