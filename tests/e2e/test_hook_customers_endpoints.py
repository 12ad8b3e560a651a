"""Customers' endpoints: seen and enabled by whose app it is, and by whose they are, and by nobody else."""

import subprocess

import pytest
from endpoint_shop import EndpointShop
from test_hook_bindings import SHOP

from receiver import Receiver
from support import CARREL, serving, until


@pytest.fixture
def receiver():
    with serving(Receiver()) as made:
        yield made


@pytest.fixture
def shop(tmp_path, receiver):
    with EndpointShop(tmp_path / "state") as node:
        node.tenants("acme", "acme/m1", "acme/m1/branch", "acme/m2", "other")
        node.deploy_shop(tmp_path / "shop", receiver.url)
        for tenant in ("m1", "m2"):
            node.give_key(f"acme/{tenant}")
            node.bind(f"acme/{tenant}", "crm", "dies", f"{receiver.url}/{tenant}")
        yield node
        assert node.server.stop() == 0, node.server.log


def token(node, tenant, verbs="logs,invoke"):
    return node.run("token", "create", "--tenant", tenant, "--verbs", verbs).stdout.strip()


def test_whose_app_it_is_sees_those_that_were_told_and_asks_for_any(shop):
    assert set(shop.endpoints("dies")) == {"own"}
    assert set(shop.endpoints("dies", "?tenant=acme/m1")) == {"m1/crm"}
    for tenant in ("m1", "m2"):
        shop.emit("dies", f"acme/{tenant}")
    until(lambda: set(shop.endpoints("dies")) == {"own", "m1/crm", "m2/crm"})
    until(lambda: shop.endpoints("dies")["m1/crm"]["attempts"])
    known = shop.endpoints("dies")["m1/crm"]
    assert (known["tenant"], known["disabled"], known["attempts"][0]["status"]) == ("acme/m1", False, 200)
    assert set(shop.endpoints("dies", token=token(shop, "acme"))) == {"own", "m1/crm", "m2/crm"}
    assert set(shop.endpoints("waits")) == {"own"}


def test_they_come_page_by_page(shop):
    for tenant in ("m1", "m2"):
        shop.emit("dies", f"acme/{tenant}")
    until(lambda: len(shop.endpoints("dies")) == 3)
    seen, after = [], ""
    for _ in range(10):
        page = shop.hooks("GET", f"dies/endpoints?limit=1{after}")[1]
        assert len(page["endpoints"]) <= 2  # the point's own besides
        seen += [each["binding"] for each in page["endpoints"]]
        if "next" not in page:
            break
        after = f"&after={page['next']}"
    assert seen == ["own", "m1/crm", "m2/crm"]
    for query in ("?limit=0", "?limit=101", "?after=%21", "?tenant=A", "?x=1"):
        assert shop.hooks("GET", f"dies/endpoints{query}")[0] == 400


def test_a_customer_sees_its_own_alone(shop):
    mine = token(shop, "acme/m1")
    assert set(shop.endpoints("dies", "?tenant=acme/m1", token=mine)) == {"m1/crm"}
    for query in ("", "?tenant=acme/m2", "?tenant=acme", "?tenant=other"):
        assert shop.hooks("GET", f"dies/endpoints{query}", token=mine)[0] == 403, query
    assert shop.hooks("GET", "dies/endpoints?tenant=acme/m1", token=token(shop, "acme/m1", "invoke"))[0] == 403
    assert shop.hooks("GET", "dies/endpoints?tenant=other", token=token(shop, "other"))[0] == 403
    # What a tenant above has bound is asked for its calls too, and is not its own.
    below = token(shop, "acme/m1/branch")
    assert shop.endpoints("dies", "?tenant=acme/m1/branch", token=below) == {}
    assert set(shop.endpoints("dies", "?tenant=acme/m1/branch", token=mine)) == {"m1/crm"}


def disabled(shop, receiver, name="m1"):
    receiver.answers[f"/{name}"] = [410, 200]
    shop.emit("dies", f"acme/{name}")
    until(lambda: shop.endpoints("dies", f"?tenant=acme/{name}")[f"{name}/crm"]["disabled"])


@pytest.mark.parametrize("who", ["acme", "acme/m1"])
@pytest.mark.parametrize("name", ["m1%2Fcrm", "m1/crm"])
def test_who_may_enables_one_that_was_disabled(shop, receiver, who, name):
    disabled(shop, receiver)
    for wrong in ("acme/m2", "acme/m1/branch", "other"):
        assert shop.hooks("POST", f"dies/endpoints/{name}:enable", token=token(shop, wrong))[0] == 403
    assert shop.hooks("POST", f"dies/endpoints/{name}:enable", token=token(shop, who, "logs"))[0] == 403
    assert shop.hooks("GET", f"dies/endpoints/{name}:enable")[0] == 405
    assert shop.hooks("POST", f"dies/endpoints/{name}:enable", token=token(shop, who))[0] == 204
    assert not shop.endpoints("dies", "?tenant=acme/m1")["m1/crm"]["disabled"]
    shop.emit("dies", "acme/m1")
    receiver.wait_for("/m1", 2)


def test_what_there_is_not_cannot_be_enabled(shop):
    mine = token(shop, "acme/m1")
    for name, status in (
        ("m1/none", 404),
        ("m1", 403),
        ("own", 403),
        ("crm", 403),
        ("%2Fcrm", 403),
        ("m1/../m2/crm", 404),
    ):
        assert shop.hooks("POST", f"dies/endpoints/{name}:enable", token=mine)[0] == status, name
    assert shop.hooks("POST", "none/endpoints/m1%2Fcrm:enable", token=mine)[0] == 404
    assert shop.hooks("POST", "dies/endpoints/:enable")[0] == 404
    assert shop.hooks("POST", "dies/endpoints/%zz:enable")[0] == 400
    assert shop.hooks("POST", "dies/endpoints/none:enable")[0] == 404


def test_the_command_lists_and_enables_them(shop, receiver, tmp_path):
    mine = tmp_path / "token"
    mine.write_text(token(shop, "acme/m1"))
    mine.chmod(0o600)

    def hook(*words, token_file=mine):
        where = ["--server", f"http://127.0.0.1:{shop.server.port}", "--host", SHOP, "--token-file", token_file]
        command = [CARREL, "hook", *words, *where]
        return subprocess.run(list(map(str, command)), text=True, capture_output=True, timeout=60)

    disabled(shop, receiver)
    listed = hook("endpoints", "dies", "--tenant", "acme/m1")
    assert listed.stdout.startswith("m1/crm in acme/m1: disabled: "), listed.stderr
    assert hook("endpoints", "dies").returncode != 0
    everything = hook("endpoints", "dies", token_file=shop.state / "token").stdout
    assert "own in acme: " in everything
    assert "m1/crm in acme/m1: disabled: " in everything
    assert hook("enable", "dies", "--binding", "m1/none").returncode == 3
    assert hook("enable", "dies", "--binding", "m1/crm").returncode == 0
    assert hook("endpoints", "dies", "--tenant", "acme/m1").stdout.startswith("m1/crm in acme/m1: well\n")
