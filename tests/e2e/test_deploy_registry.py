"""Deployed apps whose modules are in a registry: the server fetches them, as this tenant, and keeps them."""

import base64
import json
import subprocess

import pytest
from deploying import Node
from registry import LOGIN, OCI_MANIFEST, Answering, Registry, digest_of, image
from test_oci import logins
from test_oci_sources import LOOPBACK, app_from, keys, push, registry  # noqa: F401
from wasm_binary import answering

from support import CARREL

WASM = "application/wasm"


@pytest.fixture
def node(tmp_path):
    with Node(tmp_path / "state", [*LOOPBACK, "--shards", "1"]) as node:
        yield node
        assert node.server.stop() == 0


@pytest.fixture
def lying():
    """lying(ANSWERS): a registry that answers as the test says."""
    started = []

    def start(answers):
        started.append(Answering(answers))
        return started[-1]

    yield start
    for each in started:
        each.end()


def set_secret(node, tenant, name, content):
    path = f"/tenants/{tenant.replace('/', '%2F')}/secrets/{name}"
    assert node.ask("PUT", path, data=content).status_code == 204


def make_tenant(node, name):
    assert node.ask("POST", "/tenants", json={"name": name}).status_code == 201


def refused(node, app, *arguments):
    done = node.run("deploy", app.folder, *arguments)
    assert done.returncode in (1, 2), done.stdout
    return done.stderr


def versions(node, app="shop", tenant="shop"):
    return node.ask("GET", f"/tenants/{tenant}/apps/{app}/versions").json().get("versions", [])


def serving(module, layers=None, lie=None):
    """Answers of a registry with one image; `lie`: what it sends instead of the module."""
    manifest = image(layers or [(module, WASM)])

    def document(handler):
        handler.answer(200, manifest, Content_Type=OCI_MANIFEST)

    return {"/v2/a/manifests/": document, "/v2/a/blobs/": lie or (lambda handler: handler.answer(200, module))}


def test_what_a_tag_meant_is_what_the_version_is(node, registry, push, tmp_path):  # noqa: F811
    first = push(f"{registry.host}/deployed:1", "first")
    app = app_from(tmp_path / "app", f"oci://{registry.host}/deployed:1")
    assert node.deploy(app)["version"]["sources"] == {"hello": first}
    assert node.get("shop.localhost", "/hello") == (200, "first")
    assert node.deploy(app)["version"]["version"] == 1  # the same bytes: the same version
    second = push(f"{registry.host}/deployed:1", "second")
    assert node.get("shop.localhost", "/hello") == (200, "first")
    assert node.deploy(app)["version"]["sources"] == {"hello": second}
    assert node.get("shop.localhost", "/hello") == (200, "second")
    assert node.run("diff", "shop", "--folder", app.folder).stdout == ""
    assert node.run("diff", "shop", "1", "2").stdout == "~ .carrel/modules/hello.wasm\n"
    assert node.run("rollback", "shop").returncode == 0
    assert node.get("shop.localhost", "/hello") == (200, "first")
    shown = node.ask("GET", "/tenants/shop/apps/shop/versions/1").json()
    assert (shown["sources"], len(shown["files"])) == ({"hello": first}, 2)


def test_a_version_outlives_its_registry(push, run_carrel, tmp_path):  # noqa: F811
    passing = Registry(tmp_path)
    try:
        file = tmp_path / "a.wasm"
        file.write_bytes(answering("kept"))
        assert run_carrel("push", file, f"{passing.host}/a:1").returncode == 0
        app = app_from(tmp_path / "app", f"oci://{passing.host}/a:1")
        with Node(tmp_path / "state", LOOPBACK) as node:
            node.deploy(app)
            assert node.server.stop() == 0
    finally:
        passing.end()
    with Node(tmp_path / "state", LOOPBACK) as node:
        assert node.get("shop.localhost", "/hello") == (200, "kept")
        assert "1 module cannot be had" in refused(node, app)
        assert node.get("shop.localhost", "/hello") == (200, "kept")


def test_every_module_that_cannot_be_had_is_named(node, registry, tmp_path):  # noqa: F811
    app = app_from(tmp_path / "app", f"oci://{registry.host}/none:1")
    app.text += f'\n[module.other]\nsource = "oci://{registry.host}/none:2"\n'
    app.write()
    words = refused(node, app)
    for word in ("2 modules", 'module "hello"', 'module "other"', "404"):
        assert word in words
    assert versions(node) == []


def test_private_addresses_are_not_called_unless_that_is_allowed(registry, push, tmp_path):  # noqa: F811
    app = app_from(tmp_path / "app", push(f"{registry.host}/private:1", "first"))
    with Node(tmp_path / "state") as node:
        assert "127.0.0.1 is loopback" in refused(node, app)
        for host in ("10.0.0.1", "169.254.169.254", "[::1]:5000"):
            assert "module" in refused(node, app_from(tmp_path / "other", f"oci://{host}/a:1", "other"))


def test_a_registry_that_lies_is_found_out(node, lying, tmp_path):
    module = answering("right")
    forged = lying(serving(module, lie=lambda handler: handler.answer(200, answering("wrong"))))
    assert "sent for the blob" in refused(node, app_from(tmp_path / "a", f"oci://{forged.host}/a:1"))
    honest = lying(serving(module))
    pinned = f"oci://{honest.host}/a@{digest_of(b'another image')}"
    assert "sent for the manifest" in refused(node, app_from(tmp_path / "b", pinned))
    assert versions(node) == []


def test_a_layer_of_ten_gigabytes_is_never_read(node, lying, tmp_path):
    def endless(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(10 << 30))
        handler.end_headers()
        for _ in range(10 << 10):
            handler.wfile.write(bytes(1 << 20))
            handler.server.sent += 1

    small = answering("small")
    claimed = json.loads(image([(small, WASM)]))
    claimed["layers"][0]["size"] = 10 << 30
    answers = {
        "/v2/a/manifests/": lambda handler: handler.answer(
            200, json.dumps(claimed).encode(), Content_Type=OCI_MANIFEST
        ),
        "/v2/a/blobs/": endless,
    }
    for registry in (lying(answers), lying(serving(small, lie=endless))):  # noqa: F402
        registry.sent = 0
        refused(node, app_from(tmp_path / "app", f"oci://{registry.host}/a:1"))
        assert registry.sent < 128


def test_who_is_sent_elsewhere_goes_only_where_that_is_allowed(node, lying, tmp_path):
    module = answering("moved")
    storage = lying({"/blob": lambda handler: handler.answer(200, module)})
    for target, word in (("http://10.0.0.1/blob", "10.0.0.1"), (f"http://{storage.host}/blob", None)):
        sent = serving(module, lie=lambda handler, to=target: handler.answer(307, Location=to))
        app = app_from(tmp_path / "app", f"oci://{lying(sent).host}/a:1")
        if word is None:
            node.deploy(app)
            assert node.get("shop.localhost", "/hello") == (200, "moved")
        else:
            assert word in refused(node, app)


def test_a_registry_that_stalls_holds_up_neither_others_nor_the_end(lying, tmp_path, registry, push):  # noqa: F811
    stalling = lying({"/v2/": lambda handler: handler.server.over.wait(60)})
    slow = app_from(tmp_path / "slow", f"oci://{stalling.host}/a:1", "slow")
    quick = app_from(tmp_path / "quick", push(f"{registry.host}/quick:1", "quick"), "quick")
    with Node(tmp_path / "state", LOOPBACK) as node:
        command = ["deploy", slow.folder, "--server", node.url, "--token-file", node.state / "token"]
        waiting = subprocess.Popen([str(CARREL), *map(str, command)], stderr=subprocess.PIPE, text=True)
        node.deploy(quick)
        assert node.get("quick.localhost", "/hello") == (200, "quick")
        assert waiting.poll() is None
        assert node.server.stop() == 0
        assert waiting.wait(10) == 1
        assert "carrel: " in waiting.stderr.read()


def test_logins_are_the_tenants_own(node, run_carrel, tmp_path):
    (tmp_path / "guarded").mkdir()
    guarded = Registry(tmp_path / "guarded", login=LOGIN)
    try:
        file = tmp_path / "a.wasm"
        file.write_bytes(answering("guarded"))
        config = logins(tmp_path, guarded.host, *LOGIN)
        pushed = run_carrel("push", file, f"{guarded.host}/a:1", "--registry-config", config)
        app = app_from(tmp_path / "app", pushed.stdout.strip())
        for tenant in ("acme", "acme/shop", "other"):
            make_tenant(node, tenant)
        whom = ("--server", node.url, "--token-file", node.state / "token")
        done = run_carrel("secret", "set", "acme", "registry.json", *whom, input=config.read_text())
        assert done.returncode == 0, done.stderr
        node.deploy(app, "--tenant", "acme")
        for tenant in ("other", "acme/shop"):
            assert "login" in refused(node, app, "--tenant", tenant)
        wrong = {"auths": {guarded.host: {"auth": base64.b64encode(b"ann:wrong").decode()}}}
        set_secret(node, "other", "registry.json", json.dumps(wrong))
        assert "login" in refused(node, app, "--tenant", "other")
        set_secret(node, "other", "registry.json", "no JSON")
        assert "the secret registry.json" in refused(node, app, "--tenant", "other")
        shown = (
            node.ask("GET", "/tenants/acme/secrets").text + node.ask("GET", "/tenants/acme/secrets/registry.json").text
        )
        assert LOGIN[1] not in shown
        assert LOGIN[1] not in node.server.log
    finally:
        guarded.end()


def test_keys_that_a_tenant_trusts_bind_all_below_it(node, registry, push, run_carrel, keys, tmp_path):  # noqa: F811
    (alice, alice_public), (bob, bob_public) = keys("alice"), keys("bob")
    pinned = push(f"{registry.host}/bound:1", "bound")
    app = app_from(tmp_path / "app", pinned)
    for tenant in ("acme", "acme/shop", "other"):
        make_tenant(node, tenant)
    set_secret(node, "acme", "trusted-signers.pem", alice_public.read_bytes())
    node.deploy(app, "--tenant", "other")
    for tenant in ("acme", "acme/shop"):
        assert "is not signed" in refused(node, app, "--tenant", tenant)
    assert run_carrel("sign", pinned, "--key", alice).returncode == 0
    node.deploy(app, "--tenant", "acme/shop")
    # Below, more can be asked for, and never less.
    set_secret(node, "acme/shop", "trusted-signers.pem", bob_public.read_bytes())
    assert "by a key that is trusted" in refused(node, app, "--tenant", "acme/shop")
    node.deploy(app, "--tenant", "acme")
    assert run_carrel("sign", pinned, "--key", bob).returncode == 0
    node.deploy(app, "--tenant", "acme/shop")


def test_nobody_uploads_what_the_server_fetches(node, tmp_path):
    make_tenant(node, "shop")
    files = [{"path": ".carrel/modules/hello.wasm", "size": 0, "sha256": digest_of(b"")[7:]}]
    answer = node.ask("POST", "/tenants/shop/apps/shop/versions", json={"files": files})
    assert answer.status_code == 400
    assert ".carrel" in answer.json()["detail"]
