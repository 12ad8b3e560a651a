"""What apps keep, through the /v1 API: values, counters and secrets of a running node."""

import time

import pytest
import requests
from wat import guest

from support import App, Server


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    folder = tmp_path_factory.mktemp("state")
    app = App(folder / "app", "shop").wat("page", guest()).route("GET /", "page")
    with Server(["serve", app.folder, "--port", "0", "--admin", "127.0.0.1:0", "--state", folder / "state"]) as server:
        server.url = f"http://127.0.0.1:{server.admin_port}/v1/tenants/shop"
        server.headers = {"Authorization": f"Bearer {(folder / 'state' / 'token').read_text().strip()}"}
        server.state = folder / "state"
        yield server
        assert server.stop() == 0


def ask(node, method, path, **more):
    return requests.request(method, node.url + path, headers=node.headers, timeout=20, **more)


@pytest.mark.parametrize("name", ["a//b", "a%2Fb", "n" * 1025])
def test_a_bad_name_is_refused_with_the_reason(node, name):
    answer = ask(node, "PUT", f"/kv/carts/{name}", data=b"x")
    assert answer.status_code == 400
    assert "name" in answer.json()["detail"]


def test_what_is_too_large_is_refused(node):
    assert ask(node, "PUT", "/kv/carts/big", data=b"x" * ((1 << 20) + 1)).status_code == 413
    assert ask(node, "GET", "/kv/carts/big").status_code == 404
    assert ask(node, "PUT", "/secrets/BIG", data=b"x" * ((64 << 10) + 1)).status_code == 413
    assert ask(node, "PUT", "/kv/carts/large", data=b"x" * (1 << 20)).status_code == 204
    assert len(ask(node, "GET", "/kv/carts/large").content) == 1 << 20
    assert ask(node, "DELETE", "/kv/carts/large").status_code == 204


def test_without_the_token_nothing_is_read_or_written(node):
    for method in ("GET", "PUT", "DELETE"):
        answer = requests.request(method, f"{node.url}/kv/carts/a", timeout=20, data=b"")
        assert answer.status_code == 401
    assert ask(node, "GET", "/kv/carts/a").status_code == 404


def test_a_tenant_that_there_is_not_keeps_nothing(node):
    answer = requests.put(node.url.replace("/shop", "/other") + "/kv/carts/a", headers=node.headers, timeout=20)
    assert answer.status_code == 404
    assert "tenant" in answer.json()["detail"]


def test_a_value_is_put_read_listed_and_deleted(node):
    value = bytes(range(256))
    assert ask(node, "PUT", "/kv/trip/a/b%20c", data=value).status_code == 204
    assert ask(node, "PUT", "/kv/trip/z", data=b"").status_code == 204
    answer = ask(node, "GET", "/kv/trip/a/b%20c")
    assert answer.content == value
    assert answer.headers["content-type"] == "application/octet-stream"
    assert ask(node, "GET", "/kv/trip").json() == {
        "values": [{"name": "a/b c", "bytes": 256}, {"name": "z", "bytes": 0}]
    }
    assert ask(node, "DELETE", "/kv/trip/z").status_code == 204
    assert ask(node, "DELETE", "/kv/trip/z").status_code == 404
    assert ask(node, "GET", "/kv/trip/z").status_code == 404


def test_a_long_list_comes_in_pages(node):
    for i in range(5):
        assert ask(node, "PUT", f"/kv/pages/p/{i}", data=b"x").status_code == 204
    assert ask(node, "PUT", "/kv/pages/q", data=b"x").status_code == 204
    names, query = [], "?prefix=p/&limit=2"
    while query:
        page = ask(node, "GET", f"/kv/pages{query}").json()
        assert len(page["values"]) <= 2
        names += [value["name"] for value in page["values"]]
        query = f"?prefix=p/&limit=2&after={page['next']}" if "next" in page else None
    assert names == [f"p/{i}" for i in range(5)]


def test_a_value_with_a_time_to_live_says_when_it_expires(node):
    assert ask(node, "PUT", "/kv/brief/a?ttl=100", data=b"x").status_code == 204
    (value,) = ask(node, "GET", "/kv/brief").json()["values"]
    assert 0 < value["expires"] / 1000 - time.time() < 101
    assert ask(node, "PUT", "/kv/brief/a?ttl=soon", data=b"x").status_code == 400


def test_a_counter_that_was_never_added_to_is_zero(node):
    assert ask(node, "GET", "/counters/stock/pen").json() == {"value": 0}


def test_a_secret_is_set_listed_and_removed_but_never_told(node):
    secret = b"correct-horse-battery"
    assert ask(node, "PUT", "/secrets/RATES_KEY", data=secret).status_code == 204
    listed = ask(node, "GET", "/secrets")
    assert "RATES_KEY" in listed.json()["secrets"]
    assert secret not in listed.content
    assert ask(node, "GET", "/secrets/RATES_KEY").status_code == 405
    assert secret.decode() not in node.log
    for file in (node.state / "store").rglob("*"):
        assert not file.is_file() or secret not in file.read_bytes()
    assert ask(node, "DELETE", "/secrets/RATES_KEY").status_code == 204
    assert ask(node, "DELETE", "/secrets/RATES_KEY").status_code == 404
