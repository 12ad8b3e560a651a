"""Deliveries for bindings that are gone: nothing is left of them; and for those that only rest: they wait."""

import time

import pytest
from endpoint_shop import EndpointShop

from receiver import Receiver
from support import serving, until


@pytest.fixture
def receiver():
    with serving(Receiver()) as made:
        made.answers = {path: [500] for path in ("/shop", "/m1", "/m10", "/rests")}
        yield made


@pytest.fixture
def shop(tmp_path, receiver):
    with EndpointShop(tmp_path / "state") as node:
        node.tenants("acme", "acme/m1", "acme/m10")
        node.deploy_shop(tmp_path / "shop", receiver.url)
        for tenant in ("m1", "m10"):
            node.give_key(f"acme/{tenant}")
        yield node
        assert node.server.stop() == 0, node.server.log


def test_unbinding_leaves_nothing_of_it_and_all_of_others(shop, receiver):
    for tenant in ("m1", "m10"):
        for point in ("waits", "dies"):
            shop.bind(f"acme/{tenant}", point, point, f"{receiver.url}/{tenant}")
            shop.emit(point, f"acme/{tenant}")
    all_of = ["m1/{}", "m10/{}", "own", "own"]
    for point, state in (("waits", "open"), ("dies", "dead")):
        wanted = sorted(name.format(point) for name in all_of)
        until(lambda point=point, state=state, wanted=wanted: shop.listed(point, state) == wanted)
    until(lambda: len(shop.tried("waits")) == 4)
    shop.until_open(4)
    for name in ("waits", "dies"):
        shop.unbind("acme/m1", name)
    assert shop.listed("waits", "open") == ["m10/waits", "own", "own"]
    assert shop.listed("dies") == ["m10/dies", "own", "own"]
    shop.until_open(3)
    # Who takes the name anew sees nothing, and is told of what happens from then on.
    receiver.answers["/m1"] = [200]
    before = len(receiver.at("/m1"))
    for name in ("waits", "dies"):
        shop.bind("acme/m1", name, name, f"{receiver.url}/m1")
    assert shop.hooks("POST", "dies/deliveries:redrive", body='{"binding": "m1/dies"}')[1]["redriven"] == 0
    shop.emit("waits", "acme/m1")
    receiver.wait_for("/m1", before + 1)
    assert shop.listed("dies") == ["m10/dies", "own", "own"]


def test_a_binding_that_moves_to_another_point_takes_nothing_along(shop, receiver):
    shop.bind("acme/m1", "crm", "dies", f"{receiver.url}/m1")
    shop.emit("dies", "acme/m1")
    until(lambda: shop.listed("dies") == ["m1/crm", "own"])
    shop.bind("acme/m1", "crm", "waits", f"{receiver.url}/m1")
    assert shop.listed("dies") == ["own"]
    # What is changed where it stands keeps what it has.
    shop.emit("waits", "acme/m1")
    until(lambda: shop.listed("waits", "open") == ["m1/crm", "own"])
    shop.bind("acme/m1", "crm", "waits", f"{receiver.url}/m1", order=3)
    assert shop.listed("waits", "open") == ["m1/crm", "own"]


def test_a_great_many_go_in_steps(shop, receiver):
    shop.bind("acme/m1", "crm", "waits", f"{receiver.url}/m1")
    for _ in range(300):
        shop.emit("waits", "acme/m1")
    shop.unbind("acme/m1", "crm")
    left = shop.hooks("GET", "waits/deliveries?state=open&limit=1000")[1]["deliveries"]
    assert {each["binding"] for each in left} == {"own"}
    shop.until_open(300)


def test_what_is_for_a_binding_that_is_switched_off_waits_for_it(shop, receiver):
    def bind(**more):
        return shop.bind("acme/m1", "crm", "soon", f"{receiver.url}/rests", **more)["state"]

    assert bind() == "live"
    shop.emit("soon", "acme/m1")
    receiver.wait_for("/rests", 1)
    assert bind(enabled=False) == "disabled"
    assert shop.emit("soon", "acme/m1")["deliveries"] == 1  # the shop's own
    until(lambda: shop.listed("soon") == ["own", "own"], 30)
    time.sleep(1)
    assert shop.listed("soon", "open") == ["m1/crm"]
    assert len(receiver.at("/rests")) == 1
    receiver.answers["/rests"] = [200]
    assert bind() == "live"
    receiver.wait_for("/rests", 2, 30)
    shop.until_open(0)
