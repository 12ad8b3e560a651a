"""Functions of the application that a server calls over HTTPS: modules see them as /app/NAME."""

import base64
import concurrent.futures
import json
import re
import subprocess

import pytest
from standardwebhooks import Webhook
from test_hook_bindings import SHOP as HOST
from test_hook_bindings import Hooks, shop, tweaks

from receiver import Receiver
from support import CARREL, GUESTS, App, Server, serving, until

KEY = "whsec_" + base64.b64encode(b"s" * 24).decode()
NAMES = ("price", "refuses", "late", "garbage", "huge", "away", "unset", "elsewhere", "strict")


def callback(name, url, secret="KEY", more=""):
    return f'\n[[callback]]\nfunction = "{name}"\nurl = "{url}/{name}"\nsecret = "{secret}"\n{more}'


def set_secret(tenant, state):
    words = [CARREL, "secret", "set", tenant, "KEY", "--state", state]
    subprocess.run(words, input=KEY, check=True, text=True, capture_output=True)


class Front(Server):
    """A folder's server, and its hook points."""

    def __init__(self, folder, state):
        words = ["serve", folder, "--port", "0", "--admin", "127.0.0.1:0", "--shards", "2", "--state", state]
        super().__init__([*words, "--allow-egress", "127.0.0.0/8"])
        self.port = int(re.search(r"hook points at http://\S+?:(\d+)", self.log).group(1))
        self.words = {"authorization": f"Bearer {(state / 'token').read_text().strip()}"}

    def invoke(self, point, value, query=""):
        path = f"/v1/hooks/{point}:invoke{query}"
        status, _, text = self.request("POST", path, body=json.dumps(value), headers=self.words)
        made = json.loads(text)
        assert status == 200, made
        return made["output"]


@pytest.fixture(scope="module")
def receiver():
    with serving(Receiver()) as made:
        made.answers["/price"] = [(200, {}, {"price": 5})]
        made.answers["/refuses"] = [(503, {}, "not now")]
        made.answers["/late"] = ["hang"]
        made.answers["/garbage"] = [(200, {}, "{")]
        made.answers["/huge"] = [(200, {}, json.dumps("x" * (1 << 20)))]
        made.answers["/away"] = [(302, {"location": "/price"}, "")]
        yield made


@pytest.fixture(scope="module")
def front(tmp_path_factory, receiver):
    folder = tmp_path_factory.mktemp("callbacks")
    app = App(folder / "app", "shop")
    app.module("ask", GUESTS / "hook.wasm", 'config = { ACT = "app" }')
    app.module("component", GUESTS / "functions.wasm")
    app.module("both", GUESTS / "hook.wasm", 'config = { ACT = "app-keep" }\ngrants = { kv = ["hooks:rw"] }')
    (app.folder / "total.json").write_text(json.dumps({"type": "object", "required": ["total"]}))
    for name in ("price", "refuses", "garbage", "huge", "away"):
        app.text += callback(name, receiver.url, more='deadline = "20s"\n')
    app.text += callback("late", receiver.url, more='deadline = "200ms"\n')
    app.text += callback("unset", receiver.url, "NONE")
    app.text += callback("strict", receiver.url, more='input = "total.json"\nrate = 3\n')
    app.text += callback("elsewhere", "https://10.1.2.3")

    def point(name, module, function, more="", granted=None):
        app.text += f'''
[[hook]]
point = "{name}"
combine = "first"
functions = ["{granted or function}"]
deadline = "20s"
{more}
[[hook.bind]]
module = "{module}"
tenant = "m1"
config = {{ NAME = "{function}" }}
'''

    for name in NAMES:
        point(name, "ask", name)
    for name in ("price", "refuses"):
        point(f"component.{name}", "component", name)
    point("component.unknown", "component", "price", granted="refuses")
    point("counted", "both", "price", 'grants = { kv = ["hooks:rw"] }')
    app.text += """
[[hook]]
point = "closed"
combine = "first"
[[hook.bind]]
module = "ask"
config = { NAME = "price" }
"""
    app.write()
    state = folder / "state"
    with Front(app.folder, state) as server:
        set_secret("shop", state)
        yield server
        assert server.stop() == 0, server.log


def test_a_module_asks_the_application(front, receiver):
    before = len(receiver.at("/price"))
    assert front.invoke("price", {"sku": "mug"}) == {"price": 5}
    (seen,) = receiver.at("/price")[before:]
    assert Webhook(KEY).verify(seen.body, seen.headers) == {"sku": "mug"}
    assert seen.headers["content-type"] == "application/json"
    told = {name: seen.headers[f"carrel-{name}"] for name in ("function", "tenant", "app", "module")}
    assert told == {"function": "price", "tenant": "shop/m1", "app": "shop", "module": "ask"}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("refuses", "it answered 503"),
        ("late", "took too long"),
        ("garbage", "its answer"),
        ("huge", "larger than"),
        ("away", "redirects are not followed"),
        ("unset", "the secret NONE of tenant shop is not set"),
        ("elsewhere", "10.1.2.3"),
    ],
)
def test_what_went_wrong_is_eio_and_in_the_log(front, name, why):
    assert front.invoke(name, {}) == {"errno": wasi("EIO")}
    until(lambda: f"/app/{name}: " in front.log)
    said = rf"(/app/{name}|the callback {name} for shop/m1): .*{re.escape(why)}"
    until(lambda: re.search(said, front.log))
    told = re.search(rf'"tenant":"shop/m1"[^\n]*/app/{name}: ([^\n]*)', front.log).group(1)
    assert "NONE" not in told and "10.1.2.3" not in told


def wasi(name):
    """The guest's number of an errno."""
    return {"EIO": 29, "ENOENT": 44, "EDQUOT": 19}[name]


def test_a_component_asks_by_its_own_interface(front, receiver):
    before = len(receiver.at("/price"))
    assert front.invoke("component.price", {"sku": "mug"}) == {"price": 5}
    assert json.loads(receiver.at("/price")[before].body) == {"sku": "mug"}
    assert front.invoke("component.refuses", {}) == {"failure": 3}
    assert front.invoke("component.unknown", {}) == {"failure": 0}


def test_an_input_is_checked_before_it_leaves(front, receiver):
    assert front.invoke("strict", {}) == {"errno": wasi("EIO")}
    assert receiver.at("/strict") == []


def test_a_binding_has_a_rate(front):
    answers = [front.invoke("strict", {"total": i}) for i in range(20)]
    assert answers[-1] == {"errno": wasi("EDQUOT")}
    assert front.invoke("price", {}) == {"price": 5}


def test_what_a_point_does_not_name_is_not_there(front):
    assert front.invoke("closed", {}) == {"errno": wasi("ENOENT")}


def test_a_turn_that_runs_again_asks_once(front, receiver):
    """Forty calls change the same key; the losers run again, with the answers that they had."""
    receiver.answers["/price"] = [(200, {}, {"price": 5})]
    before = len(receiver.at("/price"))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        outputs = list(pool.map(lambda i: front.invoke("counted", {"i": i}), range(40)))
    assert outputs == [{"price": 5}] * 40, (outputs, front.log[-3000:])
    seen = receiver.at("/price")[before:]
    assert sorted(json.loads(each.body)["i"] for each in seen) == list(range(40))
    assert len({each.headers["webhook-id"] for each in seen}) == 40


def test_a_customers_own_module_asks_as_well(tmp_path, receiver):
    keys = 'combine = "all"\ncustomers = ["modules"]\nfunctions = ["price"]'
    owner = shop(tmp_path / "shop", 0, keys=keys)
    owner.text += callback("price", receiver.url, more='input = "total.json"\n')
    (owner.folder / "total.json").write_text(json.dumps({"type": "object", "required": ["total"]}))
    owner.write()
    with Hooks(tmp_path / "state", "--allow-egress", "127.0.0.0/8") as node:
        node.tenants("acme", "acme/m1")
        node.deploy(owner, "--tenant", "acme")
        app = tweaks(tmp_path / "m1", {"ask": ("app", "", "")})
        app.text = app.text.replace('ACT = "app"', 'ACT = "app", NAME = "price"')
        app.write()
        node.deploy(app, "--tenant", "acme/m1")
        set_secret("acme", tmp_path / "state")
        body = {"at": {"app": "shop", "point": "cart"}, "module": {"app": "tweaks", "name": "ask"}}
        made = node.ask("PUT", "/tenants/acme%2Fm1/bindings/mine", json=body)
        assert made.status_code == 200, made.text
        assert node.output("cart", {"total": 1}, "?tenant=acme/m1", host=HOST) == [0, {"price": 5}]
        assert receiver.at("/price")[-1].headers["carrel-tenant"] == "acme/m1"
        assert node.server.stop() == 0, node.server.log


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('function = "a b"\nurl = "https://x"\nsecret = "K"', "no name of a function"),
        ('function = "a"\nurl = "http://example.com"\nsecret = "K"', "begins with https://"),
        ('function = "a"\nurl = "https://x"', "secret"),
        ('function = "a"\nurl = "https://x"\nsecret = "a key!"', "no name of a secret"),
        ('function = "a"\nurl = "https://x"\nsecret = "K"\nrate = 0', "rate"),
        ('function = "a"\nurl = "https://x"\nsecret = "K"\ninput = "../x.json"', "outside the app's folder"),
    ],
)
def test_a_bad_callback_is_refused(tmp_path, run_carrel, text, why):
    app = App(tmp_path / "app")
    app.module("m", GUESTS / "hook.wasm")
    app.text += f"\n[[callback]]\n{text}\n"
    app.write()
    done = run_carrel("check", app.folder)
    assert done.returncode != 0
    assert why in done.stderr


def test_a_function_is_declared_once(tmp_path, run_carrel):
    app = App(tmp_path / "app")
    app.module("m", GUESTS / "hook.wasm")
    app.text += callback("a", "https://x") * 2
    app.write()
    done = run_carrel("check", app.folder)
    assert done.returncode != 0
    assert 'the function "a" is there twice' in done.stderr
