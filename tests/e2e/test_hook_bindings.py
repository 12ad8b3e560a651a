"""Hook points of deployed apps, and what customers bind to them."""

import base64
import json
import re
import subprocess

import pytest
from deploying import Node

from support import CARREL, GUESTS, App, until

CART = {"type": "object", "required": ["total"], "properties": {"total": {"type": "number"}}}
SHOP = "shop.acme.localhost"


class Hooks(Node):
    """A node without folders, whose hook points are called by host names."""

    def __init__(self, state, *more, env=None):
        super().__init__(state, ["--data", "127.0.0.1:0", "--shards", "2", *more], env=env)
        self.server.port = int(re.search(r"hook points at http://\S+?:(\d+)", self.server.log).group(1))

    def call(self, point, value, query="", host=SHOP, action="invoke", token=None, **headers):
        """(status, JSON)"""
        words = {"authorization": f"Bearer {token or self.token}", "host": host, **headers}
        if action == "emit":
            words["content-type"] = "application/json"
        status, _, text = self.server.request(
            "POST", f"/v1/hooks/{point}:{action}{query}", body=json.dumps(value), headers=words
        )
        return status, json.loads(text)

    def output(self, *arguments, **more):
        status, made = self.call(*arguments, **more)
        assert status == 200, made
        return made["output"]

    def value(self, tenant, store="hooks", key="count"):
        done = self.ask("GET", f"/tenants/{tenant.replace('/', '%2F')}/kv/{store}/{key}")
        return done.text if done.status_code == 200 else None

    def tenants(self, *names):
        for name in names:
            assert self.ask("POST", "/tenants", json={"name": name}).status_code == 201


def text_of(config):
    return "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in config.items()) + " }"


def shop(folder, answer, more="", point="cart", keys='combine = "all"\ninput = "cart.json"', name="shop"):
    """An app with one point, and a module of its own there that says `answer`."""
    app = App(folder, name)
    (app.folder / "cart.json").write_text(json.dumps(CART))
    config = text_of({"ACT": "say", "ANSWER": json.dumps(answer)})
    app.module("own", GUESTS / "hook.wasm", f"config = {config}")
    app.module("keeper", GUESTS / "hook.wasm", 'config = { ACT = "keep" }\ngrants = { kv = ["hooks:rw"] }')
    app.text += f'\n[[hook]]\npoint = "{point}"\n{keys}\n[[hook.bind]]\nmodule = "own"\n{more}\n'
    app.write()
    return app


@pytest.fixture
def node(tmp_path):
    with Hooks(tmp_path / "state") as node:
        node.tenants("acme")
        yield node
        assert node.server.stop() == 0, node.server.log


def test_points_live_with_the_version(node, tmp_path):
    assert node.call("cart", {"total": 1})[0] == 404
    node.deploy(shop(tmp_path / "one", 1), "--tenant", "acme")
    assert node.output("cart", {"total": 1}) == [1]
    status, problem = node.call("cart", {})  # its schema is in the version
    assert (status, problem["code"]) == (422, "hook_input")
    assert node.call("cart", {"total": 1}, host="other.acme.localhost")[0] == 404
    node.deploy(shop(tmp_path / "two", 2), "--tenant", "acme")
    assert node.output("cart", {"total": 1}) == [2]
    node.json("rollback", "shop", "--tenant", "acme")
    assert node.output("cart", {"total": 1}, host="SHOP.acme.localhost:80") == [1]
    assert node.ask("PUT", "/tenants/acme/apps/shop/versions/2/preview").status_code == 200
    assert node.output("cart", {"total": 1}, host=f"2--{SHOP}") == [2]
    assert node.output("cart", {"total": 1}) == [1]
    assert node.ask("DELETE", "/tenants/acme/apps/shop").status_code == 200
    for host in (SHOP, f"2--{SHOP}"):
        assert node.call("cart", {"total": 1}, host=host)[0] == 404
    assert node.ask("POST", "/tenants/acme/apps/shop:restore").status_code == 200
    assert node.output("cart", {"total": 1}) == [1]


def test_calls_are_shared_among_versions_as_requests_are(node, tmp_path):
    node.deploy(shop(tmp_path / "one", 1), "--tenant", "acme")
    node.deploy(shop(tmp_path / "two", 2), "--tenant", "acme", "--percent", 50)
    keys = [f"key{i}" for i in range(20)]

    def answers():
        return [node.output("cart", {"total": 1}, **{"carrel-version-key": key})[0] for key in keys]

    first = answers()
    assert set(first) == {1, 2}
    assert answers() == first


def test_points_are_there_after_a_restart(tmp_path):
    with Hooks(tmp_path / "state") as node:
        node.tenants("acme")
        node.deploy(shop(tmp_path / "app", 1), "--tenant", "acme")
    with Hooks(tmp_path / "state") as node:
        assert node.output("cart", {"total": 1}) == [1]


def test_who_calls_needs_the_verb_on_the_apps_tenant(node, tmp_path):
    node.tenants("acme/m1")
    node.deploy(shop(tmp_path / "app", 1), "--tenant", "acme")

    def token(tenant):
        return node.run("token", "create", "--tenant", tenant, "--verbs", "invoke").stdout.strip()

    assert node.call("cart", {"total": 1}, token=token("acme"))[0] == 200
    assert node.call("cart", {"total": 1}, token=token("acme/m1"))[0] == 403


def test_events_are_delivered_by_what_is_live(node, tmp_path):
    more = '[[hook.bind]]\nmodule = "keeper"'
    app = shop(tmp_path / "app", 1, more, "paid", 'kind = "event"')
    node.deploy(app, "--tenant", "acme")
    assert node.call("paid", {}, action="emit")[0] == 202
    until(lambda: node.value("acme") == "1")
    app.text += "\n"
    app.write()
    node.deploy(app, "--tenant", "acme", "--preview")
    status, problem = node.call("paid", {}, action="emit", host=f"2--{SHOP}")
    assert (status, problem["code"]) == (400, "invalid_argument")


def test_a_deployed_app_binds_in_its_own_tenant_only(node, tmp_path):
    refused = node.run("deploy", shop(tmp_path / "app", 1, 'tenant = "m1"').folder, "--tenant", "acme")
    assert refused.returncode != 0
    assert "in another tenant" in refused.stderr


def tweaks(folder, modules, name="tweaks"):
    """A customer's app. `modules`: name -> (act, answer, more)"""
    app = App(folder, name)
    for module, (act, answer, more) in modules.items():
        config = text_of({"ACT": act, "ANSWER": answer})
        app.module(module, GUESTS / "hook.wasm", f"config = {config}\n{more}")
    app.write()
    return app


KV = 'grants = { kv = ["hooks:rw"] }'
OPEN = f'combine = "all"\ninput = "cart.json"\ncustomers = ["modules", "endpoints"]\n{KV}'


class Shop:
    """A shop with a point that customers m1 and m2 bind to, each with an app of their own."""

    def __init__(self, node, folder):
        self.node, self.folder = node, folder
        node.tenants("acme/m1", "acme/m1/branch", "acme/m2", "other", "other/m1")
        node.deploy(shop(folder / "shop", 0, keys=OPEN), "--tenant", "acme")
        for tenant in ("m1", "m2"):
            self.deploy(tenant)

    def deploy(self, tenant, answer=None, name="tweaks"):
        modules = {
            "say": ("say", json.dumps(answer or tenant), ""),
            "keep": ("keep", '"kept"', KV),
            "much": ("say", "1", 'grants = { kv = ["other:r"] }'),
            "trap": ("trap", "", ""),
        }
        self.node.deploy(tweaks(self.folder / f"{tenant}{answer}", modules, name), "--tenant", f"acme/{tenant}")

    def put(self, name, tenant="acme/m1", module="say", headers=None, **more):
        named = {"app": "tweaks", "name": module} if isinstance(module, str) else module
        body = {"at": {"app": "shop", "point": "cart"}, "module": named, **more}
        path = f"/tenants/{tenant.replace('/', '%2F')}/bindings/{name}"
        return self.node.ask("PUT", path, json={k: v for k, v in body.items() if v}, headers=headers or {})

    def bind(self, name, *arguments, **more):
        made = self.put(name, *arguments, **more)
        assert made.status_code == 200, made.text
        return made.json()

    def get(self, name, tenant="acme/m1"):
        return self.node.ask("GET", f"/tenants/{tenant.replace('/', '%2F')}/bindings/{name}").json()

    def output(self, tenant=None, query="", **more):
        words = f"?tenant={tenant}{query}" if tenant else query
        return self.node.output("cart", {"total": 1}, words, **more)


@pytest.fixture(scope="module")
def bound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bindings")
    with Hooks(folder / "state") as node:
        node.tenants("acme")
        yield Shop(node, folder)
        assert node.server.stop() == 0, node.server.log


@pytest.fixture
def customers(bound):
    yield bound
    for tenant in ("acme%2Fm1", "acme%2Fm1%2Fbranch", "acme%2Fm2"):
        for each in bound.node.ask("GET", f"/tenants/{tenant}/bindings").json()["bindings"]:
            assert bound.node.ask("DELETE", f"/tenants/{tenant}/bindings/{each['name']}").status_code == 204


def test_a_customers_module_is_asked_for_that_customer(customers):
    made = customers.bind("mine")
    assert (made["state"], made["at"]) == ("live", {"tenant": "acme", "app": "shop", "point": "cart"})
    assert customers.output("acme/m1") == [0, "m1"]
    assert customers.output("acme/m1/branch") == [0, "m1"]  # and for those below
    assert customers.output("acme/m2") == [0]
    assert customers.output("acme") == customers.output() == [0]
    status, made = customers.node.call("cart", {"total": 1}, "?tenant=acme/m1")
    assert [(each["binding"], each["tenant"]) for each in made["runs"]] == [("own", "acme"), ("m1/mine", "acme/m1")]


def test_bindings_stand_in_order_among_the_apps_own(customers):
    customers.bind("last", order=2)
    customers.bind("first", order=-1, config={"ANSWER": '"first"'})
    assert customers.output("acme/m1") == ["first", 0, "m1"]


def test_it_follows_the_version_that_is_live(customers):
    customers.bind("mine")
    customers.deploy("m1", "newer")
    assert customers.output("acme/m1") == [0, "newer"]
    customers.node.json("rollback", "tweaks", "--tenant", "acme/m1")
    assert customers.output("acme/m1") == [0, "m1"]


def test_what_it_keeps_is_in_the_customers_tenant(customers):
    customers.bind("mine", module="keep")
    before = int(customers.node.value("acme/m1") or 0)
    assert customers.output("acme/m1") == [0, "kept"]
    assert customers.node.value("acme/m1") == str(before + 1)
    assert customers.node.value("acme") is None
    assert customers.output("acme/m1", "&dry_run=true") == [0, "kept"]
    assert customers.node.value("acme/m1") == str(before + 1)


def test_what_is_not_of_a_tenant_above_is_refused(customers):
    for at in ({"tenant": "other"}, {"tenant": "acme/m1"}, {"tenant": "acme/m2"}, {"tenant": "acme/m1/branch"}):
        refused = customers.put("mine", at={"app": "shop", "point": "cart", **at})
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied"), refused.text
    refused = customers.put("mine", tenant="acme")
    assert refused.status_code == 403
    refused = customers.put("mine", tenant="other/m1", at={"tenant": "acme", "app": "shop", "point": "cart"})
    assert refused.status_code == 403
    assert customers.output("acme/m1") == [0]


def test_a_point_says_what_may_be_bound(customers, tmp_path):
    refused = customers.put("mine", module="much")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    customers.node.deploy(shop(tmp_path / "app", 0, name="closed"), "--tenant", "acme")
    refused = customers.put("mine", at={"app": "closed", "point": "cart"})
    assert refused.status_code == 403
    assert "takes no modules" in refused.json()["detail"]


@pytest.mark.parametrize(
    "more",
    [
        {"at": {"app": "shop", "point": "none"}},
        {"at": {"app": "none", "point": "cart"}},
        {"module": {"app": "none", "name": "say"}},
        {"module": {"app": "tweaks", "name": "none"}},
    ],
)
def test_what_there_is_not_cannot_be_bound(customers, more):
    assert customers.put("mine", **more).status_code == 404


@pytest.mark.parametrize(
    "more",
    [
        {"at": None},
        {"at": []},
        {"at": {"app": "../shop", "point": "cart"}},
        {"at": {"app": "shop", "point": "cart", "x": 1}},
        {"module": None},
        {"module": {"app": "tweaks", "name": 7}},
        {"endpoint": {"url": "https://a.example/", "secret": "KEY"}},
        {"module": None, "endpoint": {"url": "http://a.example/", "secret": "KEY"}},
        {"module": None, "endpoint": {"url": "https://a.example/", "secret": "no name"}},
        {"module": None, "endpoint": {"url": "https://a.example/"}},
        {"module": None, "endpoint": {"url": "https://a.example?" + "a" * 4078, "secret": "KEY"}},
        {"config": {"A B": "1"}},
        {"config": {"A": 1}},
        {"order": 1 << 70},
        {"order": "1"},
        {"percent": 101},
        {"percent": 0.5},
        {"enabled": 1},
        {"unknown": 1},
    ],
)
def test_what_no_binding_can_be_is_refused(customers, more):
    refused = customers.put("mine", **more)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_argument"), refused.text


def test_a_quota_of_calls_binds_endpoints_too(customers):
    node = customers.node
    key = "whsec_" + base64.b64encode(b"k" * 32).decode()
    assert node.ask("PUT", "/tenants/acme%2Fm1/secrets/KEY", data=key).status_code == 204
    customers.bind("mine", module=None, endpoint={"url": "https://127.0.0.1:1/", "secret": "KEY"})

    def why():
        return node.call("cart", {"total": 1}, "?tenant=acme/m1")[1]["runs"][-1]["code"]

    assert why() == "egress_address"
    assert node.run("tenant", "update", "acme/m1", "--quota", "calls_per_second=0").returncode == 0
    assert why() == "too_many_requests"
    assert node.run("tenant", "update", "acme/m1", "--quota", "calls_per_second=none").returncode == 0
    assert why() == "egress_address"


def test_a_share_of_the_calls(customers):
    customers.bind("some", percent=50)
    subjects = [f"cart-{i}" for i in range(40)]
    asked = [customers.output("acme/m1", f"&subject={each}") for each in subjects]
    assert 8 < asked.count([0, "m1"]) < 32
    assert [customers.output("acme/m1", f"&subject={each}") for each in subjects] == asked


def test_one_that_is_switched_off_stays(customers):
    assert customers.bind("mine", enabled=True)["state"] == "live"
    path = "/tenants/acme%2Fm1/bindings/mine"
    body = {"at": {"app": "shop", "point": "cart"}, "module": {"app": "tweaks", "name": "say"}, "enabled": False}
    assert customers.node.ask("PUT", path, json=body).json()["state"] == "disabled"
    assert customers.output("acme/m1") == [0]


def test_a_change_may_name_what_it_changes(customers):
    made = customers.put("mine")
    etag = made.headers["etag"]
    assert customers.put("mine", headers={"If-Match": etag}, order=3).status_code == 200
    assert customers.put("mine", headers={"If-Match": etag}).status_code == 412
    assert customers.put("none", headers={"If-Match": etag}).status_code == 412


def test_it_waits_for_what_has_gone(customers):
    customers.bind("mine")
    node = customers.node
    assert node.ask("DELETE", "/tenants/acme%2Fm1/apps/tweaks").status_code == 200
    assert customers.get("mine")["state"] == "no_module"
    assert customers.output("acme/m1") == [0]
    assert node.ask("POST", "/tenants/acme%2Fm1/apps/tweaks:restore").status_code == 200
    assert customers.output("acme/m1") == [0, "m1"]
    node.deploy(shop(customers.folder / "closed", 5), "--tenant", "acme")
    assert customers.get("mine")["state"] == "not_allowed"
    assert customers.output("acme/m1") == [5]
    node.deploy(shop(customers.folder / "moved", 5, point="cart2", keys=OPEN), "--tenant", "acme")
    assert customers.get("mine")["state"] == "no_point"
    assert node.ask("DELETE", "/tenants/acme/apps/shop").status_code == 200
    assert customers.get("mine")["state"] == "no_app"
    assert node.ask("POST", "/tenants/acme/apps/shop:restore").status_code == 200
    node.deploy(shop(customers.folder / "shop", 0, keys=OPEN), "--tenant", "acme")
    assert customers.output("acme/m1") == [0, "m1"]


def test_a_module_that_fails_is_parked_for_its_customer_alone(customers):
    for tenant in ("acme/m1", "acme/m2"):
        customers.bind("bad", tenant, module="trap")

    def status(tenant):
        return customers.node.call("cart", {"total": 1}, f"?tenant={tenant}")[1]["runs"][1]["status"]

    until(lambda: status("acme/m1") == "parked")
    assert status("acme/m2") == "failed"


def test_the_command_binds_lists_and_unbinds(customers):
    node = customers.node
    place = ["--tenant", "acme/m1"]
    done = node.run("hook", "bind", "cart", "--app", "shop", "--module", "tweaks/say", *place, "--config", "ANSWER=7")
    assert (done.returncode, done.stdout) == (0, "say: tweaks/say at cart of shop in acme: live\n"), done.stderr
    assert customers.output("acme/m1") == [0, 7]
    assert node.run("hook", "bindings", *place).stdout == done.stdout
    assert node.run("hook", "unbind", "say", *place).returncode == 0
    assert node.run("hook", "unbind", "say", *place).returncode == 3
    assert customers.output("acme/m1") == [0]
    assert node.run("hook", "bindings").returncode != 0


def test_the_command_calls_an_app_by_its_host_name(customers):
    node = customers.node
    customers.bind("mine", module="keep")
    before = node.value("acme/m1")
    command = ["hook", "call", "cart", "--host", SHOP, "--tenant", "acme/m1", "--dry-run"]
    state = ["--server", f"http://127.0.0.1:{node.server.port}", "--token-file", str(node.state / "token")]
    done = subprocess.run([CARREL, *command, *state], input='{"total": 1}', text=True, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, '[0,"kept"]\n'), done.stderr
    assert node.value("acme/m1") == before


def test_binding_is_in_the_audit_log(customers):
    customers.bind("mine")
    entries = customers.node.ask("GET", "/tenants/acme%2Fm1/audit").json()["entries"]
    assert (entries[0]["action"], entries[0]["target"]) == ("bind", "bindings/mine")


def test_a_tenant_with_a_binding_stays(customers):
    node = customers.node
    endpoint = {"url": "https://crm.example.com/", "secret": "KEY"}
    at = {"tenant": "acme", "app": "shop", "point": "cart"}
    path = "/tenants/acme%2Fm1%2Fbranch"
    assert node.ask("PUT", f"{path}/bindings/crm", json={"at": at, "endpoint": endpoint}).json()["state"] == "live"
    assert node.ask("DELETE", path).json()["code"] == "in_use"


def test_bindings_are_there_after_a_restart_and_events_reach_them(tmp_path):
    keys = f'kind = "event"\ncustomers = ["modules"]\n{KV}'
    with Hooks(tmp_path / "state") as node:
        node.tenants("acme", "acme/m1")
        node.deploy(shop(tmp_path / "shop", 0, keys=keys, point="paid"), "--tenant", "acme")
        node.deploy(tweaks(tmp_path / "tweaks", {"keep": ("keep", "", KV)}), "--tenant", "acme/m1")
        done = node.run("hook", "bind", "paid", "--app", "shop", "--module", "tweaks/keep", "--tenant", "acme/m1")
        assert done.returncode == 0, done.stderr
    with Hooks(tmp_path / "state") as node:
        status, made = node.call("paid", {}, "?tenant=acme/m1", action="emit")
        assert (status, made["deliveries"]) == (202, 2)
        until(lambda: node.value("acme/m1") == "1")
        assert node.call("paid", {}, action="emit")[1]["deliveries"] == 1


RECORDED = f'{OPEN}\nprivate = ["/buyer", "/lines/*/note"]\n'


def recordings(node, name, tenant="acme/m1", **query):
    path = f"/tenants/{tenant.replace('/', '%2F')}/bindings/{name}/recordings"
    return node.ask("GET", path, params=query).json()["recordings"]


@pytest.fixture(scope="module")
def recorded(bound):
    node = bound.node
    for name, record in (("everything", "all"), ("failures", "failures")):
        node.deploy(shop(bound.folder / name, 0, keys=f'{RECORDED}record = "{record}"', name=name), "--tenant", "acme")
    yield bound


def at(app):
    return {"app": app, "point": "cart"}


def test_what_a_binding_was_given_is_kept_for_its_owner_but_not_what_is_private(recorded, customers):
    node = customers.node
    customers.bind("mine", at=at("everything"))
    cart = {"total": 1, "buyer": {"email": "a@b.example"}, "lines": [{"note": "for Ann", "n": 2}]}
    assert node.output("cart", cart, "?tenant=acme/m1", host="everything.acme.localhost") == [0, "m1"]
    (kept,) = recordings(node, "mine")
    assert kept["input"] == {"total": 1, "buyer": {}, "lines": [{"note": "***", "n": 2}]}
    assert (kept["status"], kept["answer"]) == ("answered", "m1")
    assert recordings(node, "mine", after=kept["number"]) == []
    node.output("cart", cart, "?tenant=acme/m1&dry_run=true", host="everything.acme.localhost")
    assert len(recordings(node, "mine")) == 1
    assert node.ask("DELETE", "/tenants/acme%2Fm1/bindings/mine").status_code == 204
    customers.bind("mine", at=at("everything"))
    assert recordings(node, "mine") == []


def test_nothing_is_kept_unless_the_point_lets_it(recorded, customers):
    node = customers.node
    customers.bind("mine")
    assert customers.output("acme/m1") == [0, "m1"]
    assert recordings(node, "mine") == []
    customers.bind("good", at=at("failures"))
    customers.bind("bad", at=at("failures"), module="trap")
    node.call("cart", {"total": 1}, "?tenant=acme/m1", host="failures.acme.localhost")
    assert recordings(node, "good") == []
    (kept,) = recordings(node, "bad")
    assert (kept["status"], kept["code"], kept["input"]) == ("failed", "guest_trapped", {"total": 1})


def test_what_was_kept_is_shown_as_the_point_has_it_now(recorded, customers):
    node, place = customers.node, at("tightened")

    def deploy(private, record="all", point="cart"):
        keys = f'{OPEN}\nprivate = {json.dumps(private)}\nrecord = "{record}"'
        app = shop(customers.folder / f"{len(private)}{record}{point}", 0, keys=keys, name="tightened", point=point)
        node.deploy(app, "--tenant", "acme")

    deploy([])
    customers.bind("mine", at=place)
    node.output("cart", {"total": 1, "buyer": "Ann"}, "?tenant=acme/m1", host="tightened.acme.localhost")
    assert recordings(node, "mine")[0]["input"] == {"total": 1, "buyer": "Ann"}
    deploy(["/buyer"])
    (kept,) = recordings(node, "mine")
    assert kept["input"] == {"total": 1, "buyer": "***"}
    replayed = node.ask("POST", "/tenants/acme%2Fm1/bindings/mine:replay", json={}).text
    assert "Ann" not in replayed
    assert '"***"' in replayed
    for narrower in ({"record": "failures"}, {"record": "none"}, {"point": "elsewhere"}):
        deploy([], **narrower)
        assert recordings(node, "mine") == []
        assert node.ask("POST", "/tenants/acme%2Fm1/bindings/mine:replay", json={}).status_code in (200, 404)
        assert "Ann" not in node.ask("POST", "/tenants/acme%2Fm1/bindings/mine:replay", json={}).text
    deploy([])
    assert len(recordings(node, "mine")) == 1


def test_recordings_need_the_verb(recorded, customers):
    node = customers.node
    customers.bind("mine", at=at("everything"))

    def asked(method, path, tenant, verbs):
        token = node.run("token", "create", "--tenant", tenant, "--verbs", verbs).stdout.strip()
        headers = {"Authorization": f"Bearer {token}"}
        return node.ask(method, f"/tenants/acme%2Fm1/bindings/mine{path}", headers=headers, json={}).status_code

    assert asked("GET", "/recordings", "acme/m1", "logs") == 200
    assert asked("GET", "/recordings", "acme/m1", "read") == 403
    assert asked("GET", "/recordings", "acme/m2", "logs") == 403
    assert asked("POST", ":replay", "acme/m1", "logs") == 403
    assert asked("POST", ":replay", "acme/m1", "invoke") == 403
    assert asked("POST", ":replay", "acme/m1", "invoke,logs") == 200


def test_another_version_is_run_on_what_was_kept(recorded, customers):
    node = customers.node
    customers.bind("mine", at=at("everything"), module="keep")
    for total in (1, 2):
        node.output("cart", {"total": total}, "?tenant=acme/m1", host="everything.acme.localhost")
    count = node.value("acme/m1")
    place = ["--tenant", "acme/m1"]
    shown = node.run("hook", "tail", "mine", *place).stdout.splitlines()
    assert [line.split("  ")[-1] for line in shown] == ['{"total":1} -> "kept"', '{"total":2} -> "kept"']
    same = node.run("hook", "replay", "mine", *place)
    assert (same.returncode, [line.split(": ")[1] for line in same.stdout.splitlines()]) == (
        0,
        ["same (answered, was answered)"] * 2,
    )
    node.deploy(tweaks(customers.folder / "next", {"keep": ("say", '"other"', "")}), *place, "--preview")
    number = node.ask("GET", "/tenants/acme%2Fm1/apps/tweaks").json()["previews"][-1]["version"]
    first = shown[0].split("  ")[0]
    other = node.run("hook", "replay", "mine", *place, "--module", f"tweaks/keep@{number}", "--input", first)
    assert other.returncode == 1, other.stderr
    assert other.stdout == f'{first}: different (answered, was answered)\n  : was "kept", is "other"\n'
    assert node.value("acme/m1") == count
    assert node.run("hook", "replay", "mine", *place, "--module", "tweaks/keep@99").returncode == 3
    assert node.run("hook", "replay", "mine", *place, "--module", "tweaks/much").returncode != 0
    assert node.run("hook", "replay", "mine", *place, "--input", 10**9).returncode == 3
