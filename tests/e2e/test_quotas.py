"""What tenants may store: with all below them, for functions and for the API, also after a restart."""

from deploying import Node

from support import App


def write(node, size):
    status, _, body = node.server.request(
        "POST", "/", body=f"fill /kv/s/big {size}\n".encode(), headers={"Host": "shop.a.acme.localhost"}
    )
    return status, body.decode()


def test_a_quota_bounds_a_tenant_with_all_below_it(tmp_path, guests):
    app = App(tmp_path / "app", "shop").module("keep", guests("keeper"), 'grants = { kv = ["s:rw"] }')
    app.route("POST /", "keep")
    with Node(tmp_path / "state") as node:
        for tenant in ("acme", "acme/a", "acme/b"):
            assert node.run("tenant", "create", tenant).returncode == 0
        node.deploy(app, "--tenant", "acme/a")
        assert node.json("tenant", "show", "acme")["stored_bytes"] == 0  # versions of apps are not counted
        assert node.run("tenant", "update", "acme", "--quota", "storage_bytes=10000").returncode == 0
        assert "storage_bytes 10000" in node.run("tenant", "show", "acme").stdout
        assert write(node, 20_000) == (200, "fill /kv/s/big: EDQUOT\n")
        assert write(node, 8_000) == (200, "fill /kv/s/big: ok\n")
        assert node.json("tenant", "show", "acme/a")["stored_bytes"] == 8_003
    with Node(tmp_path / "state") as node:
        assert node.json("tenant", "show", "acme")["stored_bytes"] == 8_003
        over = node.ask("PUT", "/tenants/acme%2Fb/kv/s/k", data=b"x" * 4_000)
        assert over.status_code == 507
        assert over.json()["code"] == "quota_exceeded"
        assert "the tenant acme," in over.json()["detail"]
        assert write(node, 1_000) == (200, "fill /kv/s/big: ok\n")
        assert node.ask("PUT", "/tenants/acme%2Fb/kv/s/k", data=b"x" * 4_000).status_code == 204
        assert node.run("tenant", "update", "acme", "--quota", "storage_bytes=none").returncode == 0
        assert write(node, 20_000) == (200, "fill /kv/s/big: ok\n")


def test_who_may_make_tenants_gives_them_no_weight(tmp_path):
    with Node(tmp_path / "state") as node:
        assert node.ask("POST", "/tenants", json={"name": "acme"}).status_code == 201
        made = node.ask("POST", "/tenants/acme/tokens", json={"verbs": ["tenants"]})
        own = {"Authorization": f"Bearer {made.json()['token']}"}
        heavy = {"name": "acme/x", "quotas": {"weight": 1000}}
        refused = node.ask("POST", "/tenants", json=heavy, headers=own)
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
        light = {"name": "acme/x", "quotas": {"turns_per_second": 9}}
        assert node.ask("POST", "/tenants", json=light, headers=own).status_code == 201
        raised = {"quotas": {"weight": 1000}}
        assert node.ask("PATCH", "/tenants/acme%2Fx", json=raised, headers=own).status_code == 403
        assert node.ask("PATCH", "/tenants/acme%2Fx", json=raised).status_code == 200
