"""What is left of removed apps and tenants once their grace period is over: nothing, and all of others."""

import struct

import pytest
from endpoint_shop import EndpointShop, path_of

from receiver import Receiver
from support import serving, until

WEEK = 7 * 86400


@pytest.fixture
def clock(tmp_path):
    """A file with the seconds that the node's wall clock is ahead."""
    file = tmp_path / "clock"
    file.write_bytes(struct.pack("=q", 0))
    return file


def set_ahead(clock, seconds):
    with clock.open("r+b") as file:
        file.write(struct.pack("=q", seconds))


def started(tmp_path, other_world, clock):
    env = {"LD_PRELOAD": str(other_world), "OTHER_WORLD_CLOCK": str(clock)}
    return EndpointShop(tmp_path / "state", env=env)


def host_of(app, tenant):
    return ".".join([app, *reversed(tenant.split("/")), "localhost"])


@pytest.mark.parametrize("gone", ["app", "tenant"])
def test_who_takes_the_name_sees_nothing_of_who_had_it(tmp_path, other_world, clock, gone):
    # Apps that go, and those whose names only begin alike.
    apps = [("shop", "acme"), ("shop2", "acme"), ("shop", "acme2")]
    with serving(Receiver()) as receiver:
        receiver.answers = {"/shop": [500], "/shop2": [500]}
        with started(tmp_path, other_world, clock) as node:
            node.tenants("acme", "acme2")
            for app, tenant in apps:
                node.deploy_shop(tmp_path / f"{app}-{tenant}", receiver.url, tenant, app)
                for point in ("waits", "dies"):
                    node.emit(point, host=host_of(app, tenant))
            for app, tenant in apps:
                host = host_of(app, tenant)
                until(lambda host=host: node.tried("waits", host) == ["own"])
                until(lambda host=host: node.listed("dies", host=host) == ["own"])
            assert node.open() == 3
            removed = apps[:1] if gone == "app" else apps[:2]
            for app, tenant in removed:
                assert node.ask("DELETE", f"{path_of(tenant)}/apps/{app}").status_code == 200
            if gone == "tenant":
                assert node.ask("DELETE", "/tenants/acme").status_code == 200
            assert node.open() == 3  # it may be restored
            assert node.server.stop() == 0, node.server.log
        set_ahead(clock, WEEK + 60)
        with started(tmp_path, other_world, clock) as node:
            left = len(apps) - len(removed)
            node.until_open(left)
            what = "/tenants/acme" if gone == "tenant" else "/tenants/acme/apps/shop"
            until(lambda: node.ask("GET", what).status_code == 404)
            if gone == "tenant":
                node.tenants("acme")
            receiver.answers["/shop"] = [200]
            node.deploy_shop(tmp_path / "anew", receiver.url)
            host = host_of("shop", "acme")
            for point, state in (("waits", "open"), ("dies", "dead")):
                assert node.listed(point, state, host) == []
                assert node.endpoints(point, host=host)["own"]["attempts"] == []
            for app, tenant in [each for each in apps if each not in removed]:
                host = host_of(app, tenant)
                assert node.listed("waits", "open", host) == ["own"]
                assert node.listed("dies", host=host) == ["own"]
                assert node.endpoints("dies", host=host)["own"]["attempts"] != []
            before = len(receiver.at("/shop"))
            node.emit("dies")
            receiver.wait_for("/shop", before + 1)
            node.until_open(left)
            assert node.server.stop() == 0, node.server.log


def test_an_app_that_is_restored_keeps_its_deliveries(tmp_path, other_world, clock):
    with serving(Receiver()) as receiver:
        receiver.answers = {"/shop": [500]}
        with started(tmp_path, other_world, clock) as node:
            node.tenants("acme")
            node.deploy_shop(tmp_path / "shop", receiver.url)
            node.emit("waits")
            node.emit("dies")
            until(lambda: node.tried("waits") == ["own"] and node.listed("dies") == ["own"])
            assert node.ask("DELETE", "/tenants/acme/apps/shop").status_code == 200
            assert node.server.stop() == 0, node.server.log
        set_ahead(clock, WEEK - 3600)
        with started(tmp_path, other_world, clock) as node:
            assert node.ask("POST", "/tenants/acme/apps/shop:restore").status_code == 200
            assert node.listed("dies") == ["own"]
            assert node.open() == 1
            receiver.answers["/shop"] = [200]
            set_ahead(clock, 2 * WEEK)
            receiver.wait_for("/shop", 3)
            node.until_open(0)
            assert node.server.stop() == 0, node.server.log
