"""Tenants, tokens and the audit log on the command line: who may do what, and who did."""

import json

import pytest
from wat import guest

from support import App, Server


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokens")
    app = App(folder / "app", "shop").wat("page", guest()).route("GET /", "page")
    with Server(["serve", app.folder, "--port", "0", "--admin", "127.0.0.1:0", "--state", folder / "state"]) as server:
        server.state = folder / "state"
        server.url = f"http://127.0.0.1:{server.admin_port}"
        yield server
        assert server.stop() == 0


@pytest.fixture
def ask(node, run_carrel):
    return lambda *words, **more: run_carrel(*words, "--state", node.state, **more)


@pytest.fixture
def holder(node, ask, run_carrel, tmp_path):
    """Makes a token; gives a command line that presents it."""

    def make(*options):
        done = ask("token", "create", *options)
        assert done.returncode == 0, done.stderr
        file = tmp_path / "its.token"
        file.write_text(done.stdout)
        return lambda *words, **more: run_carrel(*words, "--server", node.url, "--token-file", file, **more)

    return make


def test_what_is_wrong_is_said_with_the_remedy(ask):
    assert ask("token", "create", "--tenant", "shop").returncode == 2
    assert "there are read," in ask("token", "create", "--tenant", "shop", "--verbs", "all").stderr
    assert ask("token", "revoke", "--tenant", "shop").returncode == 2
    assert ask("token", "revoke", "0" * 16, "--tenant", "shop").returncode == 3
    assert ask("tenant", "show", "none").returncode == 3
    assert "first a letter" in ask("tenant", "create", "Not/A/Name").stderr
    assert "storage_bytes" in ask("tenant", "create", "x", "--quota", "storage=1").stderr
    assert "takes no TENANT" in ask("tenant", "list", "x").stderr


def test_a_tenant_is_created_changed_removed_and_restored(ask):
    assert ask("tenant", "create", "acme", "--quota", "storage_bytes=1MiB").stdout == "acme\n  storage_bytes 1048576\n"
    assert ask("tenant", "create", "acme/a").returncode == 0
    assert ask("tenant", "update", "acme", "--quota", "storage_bytes=none").stdout == "acme\n"
    assert ask("tenant", "list").stdout.split() == ["acme", "acme/a", "shop"]
    assert "below it" in ask("tenant", "remove", "acme").stderr
    assert "removed" in ask("tenant", "remove", "acme/a").stdout
    assert ask("kv", "list", "acme/a", "s").returncode == 3
    assert ask("tenant", "restore", "acme/a").returncode == 0
    assert ask("kv", "put", "acme/a", "s", "k", "v").returncode == 0
    assert ask("kv", "get", "acme/a", "s", "k").stdout == "v"


def test_a_token_opens_what_it_is_for_until_it_is_revoked(ask, holder):
    tenant = "tokens-test"
    assert ask("tenant", "create", tenant).returncode == 0
    its = holder("--tenant", tenant, "--verbs", "data-read,data-write", "--name", "ci", "--expires", "1h")
    assert its("kv", "put", tenant, "s", "k", "v").returncode == 0
    assert its("kv", "get", tenant, "s", "k").stdout == "v"
    refused = its("kv", "get", "shop", "s", "k")
    assert refused.returncode == 1
    assert '"data-read" on tenant shop' in refused.stderr
    assert "carrel help token" in refused.stderr
    (token,) = (json.loads(line) for line in ask("token", "list", "--tenant", tenant, "--json").stdout.splitlines())
    assert (token["name"], token["verbs"]) == ("ci", ["data-read", "data-write"])
    assert ask("token", "revoke", token["id"], "--tenant", tenant).returncode == 0
    assert its("kv", "get", tenant, "s", "k").returncode == 1


def test_a_token_is_in_no_log_and_not_in_the_store(node, ask):
    token = ask("token", "create", "--tenant", "shop", "--verbs", "read").stdout.strip()
    secret = token.rsplit("_", 1)[1]
    assert len(secret) == 64
    assert secret not in node.log
    for file in node.state.rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes()


def test_who_changed_what_is_told_and_outlives_a_kill(run_carrel, tmp_path):
    app = App(tmp_path / "app", "shop").wat("page", guest()).route("GET /", "page")
    state = tmp_path / "state"
    served = ["serve", app.folder, "--port", "0", "--admin", "127.0.0.1:0", "--state", state]
    with Server(served) as server:
        run_carrel("kv", "put", "shop", "carts", "ada", "three", "--state", state)
        run_carrel("token", "create", "--tenant", "shop", "--verbs", "read", "--state", state)
        server.process.kill()
        server.process.wait(20)
    with Server(served) as server:
        entries = [
            json.loads(line) for line in run_carrel("audit", "shop", "--json", "--state", state).stdout.splitlines()
        ]
        assert [entry["action"] for entry in entries] == ["createToken", "putValue"]
        put = entries[1]
        assert (put["who"], put["from"], put["target"], put["after"]) == (
            "operator",
            "127.0.0.1",
            "kv/carts/ada",
            {"bytes": 5},
        )
        assert server.stop() == 0
    assert run_carrel("store", "check", "--state", state).returncode == 0
