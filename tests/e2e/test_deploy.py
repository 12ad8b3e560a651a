"""Deployments: from a folder to what is served, back again, and over restarts."""

import hashlib
import json
import signal
import threading

import pytest
from deploying import Node, app_of, change
from wat import guest

from support import App


@pytest.fixture
def node(tmp_path):
    with Node(tmp_path / "state") as node:
        yield node
        assert node.server.stop() == 0, node.server.log


def test_a_deployed_app_is_served_and_the_next_version_replaces_it(node, tmp_path):
    app = app_of(tmp_path / "app", "one")
    first = node.deploy(app)
    assert first["version"]["version"] == 1
    assert first["version"]["routes"] == ["GET /"]
    assert first["app"]["live"] == [{"version": 1, "percent": 100}]
    assert node.get("shop.localhost") == node.get("shop.shop.localhost") == (200, "one")
    assert node.get("other.localhost")[0] == 404
    change(app, "two")
    second = node.deploy(app)
    assert second["version"]["version"] == 2
    # The manifest is there already.
    assert second["uploaded"] == (app.folder / "page.wat").stat().st_size
    assert node.get("shop.localhost") == (200, "two")


def test_deploying_the_same_again_adds_no_version(node, tmp_path):
    app = app_of(tmp_path / "app", "one")
    node.deploy(app)
    again = node.deploy(app)
    assert again["version"]["version"] == 1
    assert again["uploaded"] == 0


def test_apps_of_tenants_have_names_of_their_own(node, tmp_path):
    for tenant in ("acme", "acme/merchant-17"):
        assert node.ask("POST", "/tenants", json={"name": tenant}).status_code == 201
        node.deploy(app_of(tmp_path / tenant, tenant), "--tenant", tenant)
    assert node.get("shop.acme.localhost") == (200, "acme")
    assert node.get("SHOP.merchant-17.acme.localhost:80") == (200, "acme/merchant-17")
    refused = node.run("deploy", tmp_path / "acme", "--tenant", "nobody")
    assert refused.returncode == 3
    assert node.json("apps", "list", "--tenant", "acme")["hosts"] == ["shop.acme.localhost"]


def test_what_is_deployed_is_among_what_is_served(node, tmp_path):
    assert node.ask("POST", "/tenants", json={"name": "acme"}).status_code == 201
    app = app_of(tmp_path / "app", "one")
    app.text = app.text.replace("[app]", '[app]\nstorage = "64KiB"')
    app.write()
    node.deploy(app, "--tenant", "acme")
    status = node.ask("GET", "/status").json()
    assert (status["app_count"], status["apps"]) == (1, ["shop"])
    (served,) = node.ask("GET", "/apps").json()["apps"]
    assert (served["tenant"], served["deployed"], served["routes"]) == ("acme", True, ["GET /"])
    assert served["hosts"] == ["shop.acme.localhost"]
    assert node.ask("PUT", "/tenants/acme/kv/carts/a", data=b"x" * 65536).status_code == 507
    node.json("apps", "remove", "shop", "--tenant", "acme")
    assert node.ask("GET", "/status").json()["app_count"] == 0
    assert node.ask("GET", "/apps").json()["apps"] == []
    assert node.ask("PUT", "/tenants/acme/kv/carts/a", data=b"x" * 65536).status_code == 204


def test_a_folder_without_files_is_not_deployed(node, tmp_path):
    app = app_of(tmp_path / "app", "one")
    (app.folder / "public").mkdir()
    app.text += '\n[[static]]\nroute = "/public/*"\nfolder = "public"\n'
    app.write()
    refused = node.run("deploy", app.folder)
    assert refused.returncode != 0
    assert "has no files" in refused.stderr


def test_going_back_and_forth(node, tmp_path):
    app = app_of(tmp_path / "app", "one")
    for body in ("one", "two", "three"):
        change(app, body)
        node.deploy(app, "--message", f"it says {body}")
    assert node.json("rollback", "shop")["live"] == [{"version": 2, "percent": 100}]
    assert node.get("shop.localhost") == (200, "two")
    assert node.run("rollback", "shop").stdout == "shop of shop: version 1 is live\n"
    assert node.get("shop.localhost") == (200, "one")
    assert node.run("rollback", "shop").returncode == 3
    node.json("activate", "shop", 3)
    assert node.get("shop.localhost") == (200, "three")
    listed = [json.loads(line) for line in node.run("versions", "shop", "--json").stdout.splitlines()]
    assert [(each["version"], each["percent"], each["message"]) for each in listed] == [
        (1, 0, "it says one"),
        (2, 0, "it says two"),
        (3, 100, "it says three"),
    ]
    assert node.run("activate", "shop", 9).returncode == 3


def test_a_version_can_be_looked_at_before_it_is_live(node, tmp_path):
    app = app_of(tmp_path / "app", "one")
    node.deploy(app)
    change(app, "two")
    preview = node.deploy(app, "--preview")["app"]
    assert preview["live"] == [{"version": 1, "percent": 100}]
    assert preview["previews"] == [{"version": 2, "host": "2--shop.shop.localhost"}]
    assert node.get("shop.localhost") == (200, "one")
    assert node.get("2--shop.shop.localhost") == (200, "two")
    assert node.ask("DELETE", "/tenants/shop/apps/shop/versions/2/preview").json()["previews"] == []
    assert node.get("2--shop.shop.localhost")[0] == 404


def test_two_versions_share_the_requests(node, tmp_path):
    app = app_of(tmp_path / "app", "one")
    node.deploy(app)
    change(app, "two")
    node.deploy(app, "--percent", "50")
    answers = {node.get("shop.localhost")[1] for _ in range(60)}
    assert answers == {"one", "two"}
    for client in range(10):
        headers = {"Carrel-Version-Key": f"client-{client}"}
        assert len({node.get("shop.localhost", **headers)[1] for _ in range(5)}) == 1
    assert node.run("activate", "shop", 2).stdout == "shop of shop: version 2 is live\n"
    assert {node.get("shop.localhost")[1] for _ in range(20)} == {"two"}
    node.json("rollback", "shop")
    assert {node.get("shop.localhost")[1] for _ in range(20)} == {"one"}


def test_everything_that_is_wrong_is_said_at_once_and_nothing_changes(node, tmp_path):
    app = app_of(tmp_path / "app", "one")
    node.deploy(app)
    bad = App(tmp_path / "bad", "shop").wat("a", "(module").wat("b", '(module (import "x" "y" (func)))')
    bad.wat("c", '(module (memory 1) (memory 1) (func (export "_start")))')
    bad.route("GET /", "a").route("GET /b", "b").route("GET /c", "c")
    refused = node.run("deploy", bad.folder)
    assert refused.returncode == 1
    assert 'module "a"' in refused.stderr
    assert 'module "b"' in refused.stderr
    assert "2 memories and may have 1" in refused.stderr
    assert str(node.state) not in refused.stderr
    assert node.get("shop.localhost") == (200, "one")
    assert len(node.run("versions", "shop").stdout.splitlines()) == 1


def test_what_is_live_is_live_after_a_restart(tmp_path):
    app = app_of(tmp_path / "app", "one")
    (app.folder / "public").mkdir()
    (app.folder / "public" / "large.bin").write_bytes(b"x" * (3 << 20))
    app.text += '\n[[static]]\nroute = "/static/*"\nfolder = "public"\n'
    app.write()
    with Node(tmp_path / "state") as node:
        node.deploy(app)
        change(app, "two")
        node.deploy(app, "--preview")
        node.server.process.send_signal(signal.SIGKILL)
        node.server.process.wait()
    for leftover in (tmp_path / "state" / "versions").glob("*/*/*/page.wat"):
        leftover.unlink()  # it is only a copy
    with Node(tmp_path / "state") as node:
        assert node.get("shop.localhost") == (200, "one")
        assert node.get("2--shop.shop.localhost") == (200, "two")
        assert node.server.get("/static/large.bin", headers={"Host": "shop.localhost"})[2] == b"x" * (3 << 20)
        assert node.server.stop() == 0
    assert not list((tmp_path / "state" / "versions").glob("*/*/*.new"))


def test_no_request_is_lost_while_versions_change(node, tmp_path):
    app = app_of(tmp_path / "app", "0")
    node.deploy(app)
    failures, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            status, body = node.get("shop.localhost")
            if status != 200:
                failures.append((status, body))

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for i in range(1, 9):
        change(app, str(i))
        node.deploy(app)
        assert node.get("shop.localhost") == (200, str(i))
    stop.set()
    for asker in askers:
        asker.join()
    assert failures == []


def test_a_request_in_progress_ends_as_it_began(node, tmp_path):
    app = App(tmp_path / "app", "shop").wat("page", guest("slow", sleep_ms=1000)).route("GET /", "page")
    node.deploy(app)
    answer = []
    asker = threading.Thread(target=lambda: answer.append(node.get("shop.localhost")))
    asker.start()
    while not asker.is_alive():
        pass
    change(app, "two")
    node.deploy(app)
    asker.join()
    assert answer[0][0] == 200
    assert node.get("shop.localhost") == (200, "two")


def test_a_removed_app_is_not_served_and_can_be_restored(node, tmp_path):
    app = app_of(tmp_path / "app", "one")
    node.deploy(app)
    assert "removed" in node.json("apps", "remove", "shop")
    assert node.get("shop.localhost")[0] == 404
    assert node.run("versions", "shop").returncode == 3
    assert node.run("deploy", app.folder).returncode == 1
    node.json("apps", "restore", "shop")
    assert node.get("shop.localhost") == (200, "one")
    assert node.ask("DELETE", "/tenants/shop").json()["code"] == "in_use"
    assert node.run("apps", "restore", "shop").returncode == 3


def test_who_deployed_what_is_in_the_audit_log(node, tmp_path):
    node.deploy(app_of(tmp_path / "app", "one"))
    entries = node.ask("GET", "/tenants/shop/audit").json()["entries"]
    assert [entry["action"] for entry in entries][:2] == ["activateVersion", "createVersion"]


def test_a_diff_names_the_files(node, tmp_path):
    app = app_of(tmp_path / "app", "one")
    node.deploy(app)
    change(app, "two")
    (app.folder / "assets").mkdir()
    (app.folder / "assets" / "logo.svg").write_text("<svg/>")
    assert node.run("diff", "shop", "--folder", app.folder).stdout == "+ assets/logo.svg\n~ page.wat\n"
    node.deploy(app)
    assert node.run("diff", "shop", 2, 1).stdout == "- assets/logo.svg\n~ page.wat\n"
    assert node.json("diff", "shop", 1, 2) == {"added": ["assets/logo.svg"], "changed": ["page.wat"], "removed": []}


# What others send.


def bundle(files):
    return {
        "files": [
            {"path": path, "size": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
            for path, text in files.items()
        ]
    }


MANIFEST = '[app]\nname = "shop"\n'


@pytest.fixture
def shop(node):
    assert node.ask("POST", "/tenants", json={"name": "shop"}).status_code == 201
    return node


def put(node, text, name=None, tenant="shop"):
    digest = name or hashlib.sha256(text.encode()).hexdigest()
    return node.ask("PUT", f"/tenants/{tenant}/parts/{digest}", data=text).status_code


def test_parts_are_asked_for_and_belong_to_one_tenant(shop):
    answer = shop.ask("POST", "/tenants/shop/apps/shop/versions", json=bundle({"carrel.toml": MANIFEST}))
    assert answer.status_code == 409
    assert answer.json()["code"] == "parts_missing"
    digest = hashlib.sha256(MANIFEST.encode()).hexdigest()
    assert answer.json()["missing"] == [digest]
    assert shop.ask("POST", "/tenants", json={"name": "other"}).status_code == 201
    assert put(shop, MANIFEST, tenant="other") == 204
    answer = shop.ask("POST", "/tenants/shop/apps/shop/versions", json=bundle({"carrel.toml": MANIFEST}))
    assert answer.json()["missing"] == [digest]
    assert put(shop, MANIFEST) == 204
    answer = shop.ask("POST", "/tenants/shop/apps/shop/versions", json=bundle({"carrel.toml": MANIFEST}))
    assert answer.status_code == 201


def test_a_part_that_is_not_what_it_is_called_is_refused(shop):
    assert put(shop, "x", hashlib.sha256(b"y").hexdigest()) == 400
    assert put(shop, "x", "A" * 64) == 400
    assert put(shop, "x", "..%2F..%2Fx") == 400
    assert put(shop, "") == 400
    assert put(shop, "x" * ((1 << 20) + 1)) == 413
    assert put(shop, "x", tenant="nobody") == 404


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", "a//b", "a\\..\\x", "a\x00b", "."])
def test_no_path_leaves_the_folder(shop, path):
    assert put(shop, MANIFEST) == 204
    answer = shop.ask(
        "POST", "/tenants/shop/apps/shop/versions", json=bundle({"carrel.toml": MANIFEST, path: MANIFEST})
    )
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "invalid_argument"


def test_files_that_do_not_add_up_are_refused(shop):
    assert put(shop, MANIFEST) == 204
    files = bundle({"carrel.toml": MANIFEST})
    files["files"][0]["size"] += 1
    answer = shop.ask("POST", "/tenants/shop/apps/shop/versions", json=files)
    assert answer.status_code == 400
    assert shop.ask("GET", "/tenants/shop/apps/shop").status_code == 404


def test_an_app_is_deployed_under_its_own_name(shop):
    assert put(shop, MANIFEST) == 204
    files = bundle({"carrel.toml": MANIFEST})
    assert shop.ask("POST", "/tenants/shop/apps/other/versions", json=files).status_code == 400
    for name in ("a--b", "A", "%2E%2E", "a%2Fb"):
        assert shop.ask("POST", f"/tenants/shop/apps/{name}/versions", json=files).status_code == 400
    assert shop.ask("POST", "/tenants/shop/apps/shop/versions", data="x").status_code == 400
    assert shop.ask("POST", "/tenants/shop/apps/shop/versions", json={"files": [], "a": 1}).status_code == 400


def test_two_deploys_at_once_both_become_versions(node, tmp_path):
    apps = [app_of(tmp_path / str(i), f"page {i}") for i in range(4)]
    node.deploy(apps[0])
    made = []
    threads = [threading.Thread(target=lambda app=app: made.append(node.deploy(app))) for app in apps[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each["version"]["version"] for each in made) == [2, 3, 4]
    live = node.json("apps", "show", "shop")["live"][0]["version"]
    at = next(i for i, each in enumerate(made) if each["version"]["version"] == live)
    assert at >= 0
    assert node.get("shop.localhost")[1].startswith("page ")


def test_a_change_can_be_bound_to_what_was_seen(node, tmp_path):
    node.deploy(app_of(tmp_path / "app", "one"))
    seen = node.ask("GET", "/tenants/shop/apps/shop").headers["etag"]
    activate = "/tenants/shop/apps/shop/versions/1:activate"
    assert node.ask("POST", activate, headers={"If-Match": seen}).status_code == 200
    assert node.ask("POST", activate, headers={"If-Match": seen}).status_code == 412
