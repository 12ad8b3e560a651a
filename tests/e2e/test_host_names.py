"""Host names of tenants' own: claimed, proven by DNS or by HTTP, served, given up."""

import contextlib
import http.server
import json
import threading

import pytest
from deploying import Node, app_of, change
from dns_server import DnsServer

HOST = "www.example.com"
# Whoever serves a name today does so at port 80, on an address of this test alone.
WEB = "127.0.80.1"


@contextlib.contextmanager
def started(state, dns, *arguments):
    with Node(state, ["--dns", dns.address, "--reserved-domain", "node.example", *arguments]) as node:
        yield node
        assert node.server.stop() == 0, node.server.log


@pytest.fixture
def dns():
    with DnsServer() as server:
        yield server


@pytest.fixture
def node(tmp_path, dns):
    with started(tmp_path / "state", dns) as node:
        for tenant in ("acme", "rival"):
            assert node.ask("POST", "/tenants", json={"name": tenant}).status_code == 201
            node.deploy(app_of(tmp_path / tenant, tenant), "--tenant", tenant)
        yield node


def claim(node, tenant="acme", host=HOST, app="shop"):
    answer = node.ask("PUT", f"/tenants/{tenant}/hosts/{host}", json={"app": app})
    assert answer.status_code == 200, answer.text
    return answer.json()


def prove(node, dns, tenant="acme", host=HOST):
    """By DNS: what the check answers."""
    proof = claim(node, tenant, host)["proof"]["dns"]
    dns.records[(proof["name"], "TXT")] = ["v=spf1 -all", proof["text"]]
    return check(node, tenant, host)


def check(node, tenant="acme", host=HOST):
    answer = node.ask("POST", f"/tenants/{tenant}/hosts/{host}:check")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_name_is_served_once_it_is_proven_by_dns(node, dns):
    added = node.run("host", "add", "acme", "WWW.example.com.", "--app", "shop")
    assert added.returncode == 0, added.stderr
    assert "_carrel-challenge.www.example.com" in added.stdout
    assert node.get(HOST)[0] == 404
    refused = node.run("host", "check", "acme", HOST)
    assert refused.returncode != 0
    assert "_carrel-challenge.www.example.com has no text record" in refused.stderr
    assert node.get(HOST)[0] == 404

    proof = node.json("host", "show", "acme", HOST)["proof"]["dns"]
    dns.records[(proof["name"], "TXT")] = [proof["text"]]
    assert node.json("host", "check", "acme", HOST)["state"] == "proven"
    assert node.get(HOST) == node.get("WWW.EXAMPLE.COM:8080") == (200, "acme")
    assert node.get("example.com")[0] == node.get("a.www.example.com")[0] == 404
    assert node.json("host", "list", "acme")["state"] == "proven"
    assert node.json("host", "list") | {"proven": ""} == {"host": HOST, "tenant": "acme", "app": "shop", "proven": ""}
    entry = json.loads(node.run("audit", "acme", "--json", "--limit", "1").stdout)
    assert (entry["action"], entry["target"]) == ("checkHost", f"hosts/{HOST}")
    assert (entry["before"]["state"], entry["after"]["state"]) == ("claimed", "proven")
    assert proof["text"] not in node.server.log


def test_a_proven_name_leads_to_whatever_version_is_live(node, dns, tmp_path):
    prove(node, dns)
    app = app_of(tmp_path / "acme", "second")
    node.deploy(app, "--tenant", "acme")
    assert node.get(HOST) == (200, "second")
    node.json("rollback", "shop", "--tenant", "acme")
    assert node.get(HOST) == (200, "acme")
    node.deploy(app_of(tmp_path / "next", "next", "next"), "--tenant", "acme")
    assert claim(node, app="next")["state"] == "proven"
    assert node.get(HOST) == (200, "next")


@pytest.mark.parametrize("texts", [[], ["wrong"], ["TOKEN "], ["x" * 255] * 8])
def test_a_wrong_token_proves_nothing(node, dns, texts):
    proof = claim(node)["proof"]["dns"]
    dns.records[(proof["name"], "TXT")] = [text.replace("TOKEN", proof["text"]) for text in texts]
    checked = check(node)
    assert checked["state"] == "claimed"
    assert proof["name"] in checked["problem"]
    assert node.get(HOST)[0] == 404


def test_the_token_of_another_tenant_proves_nothing(node, dns):
    mine = claim(node, "acme")["proof"]["dns"]
    assert claim(node, "rival")["proof"]["dns"]["text"] != mine["text"]
    dns.records[(mine["name"], "TXT")] = [mine["text"]]
    assert check(node, "rival")["state"] == "claimed"
    assert check(node, "acme")["state"] == "proven"


def test_of_two_tenants_the_one_who_proves_it_has_it_until_it_is_given_up(node, dns):
    assert prove(node, dns, "rival")["state"] == "proven"
    proof = claim(node, "acme")["proof"]["dns"]
    assert check(node, "acme")["state"] == "claimed"  # without a proof nobody learns that it is taken
    dns.records[(proof["name"], "TXT")] = [proof["text"]]
    refused = node.ask("POST", f"/tenants/acme/hosts/{HOST}:check")
    assert refused.status_code == 409
    assert "rival" not in refused.text
    assert node.get(HOST) == (200, "rival")
    told = node.run("host", "check", "acme", HOST)
    assert told.returncode != 0
    assert "rival" not in told.stderr + told.stdout
    # Giving up a claim that proves nothing changes nothing for the other.
    assert node.run("host", "remove", "acme", HOST).returncode == 0
    assert node.get(HOST) == (200, "rival")
    claim(node, "acme")
    assert node.run("host", "remove", "rival", HOST).returncode == 0
    assert node.get(HOST)[0] == 404
    assert check(node, "acme")["state"] == "proven"
    assert node.get(HOST) == (200, "acme")


def test_a_name_goes_with_its_app_and_does_not_come_back_by_itself(node, dns):
    prove(node, dns)
    assert node.run("apps", "remove", "shop", "--tenant", "acme").returncode == 0
    assert node.get(HOST)[0] == 404
    assert node.ask("GET", "/tenants/acme/hosts").json() == {"hosts": []}
    assert node.run("host", "list").stdout == ""
    assert node.run("apps", "restore", "shop", "--tenant", "acme").returncode == 0
    assert node.get("shop.acme.localhost") == (200, "acme")
    assert node.get(HOST)[0] == 404
    assert prove(node, dns, "rival")["state"] == "proven"
    assert node.get(HOST) == (200, "rival")


def test_names_are_served_after_a_restart(tmp_path, dns):
    app = app_of(tmp_path / "app", "one")
    with started(tmp_path / "state", dns, "--shards", "2") as node:
        node.deploy(app)
        prove(node, dns, "shop")
        claim(node, "shop", "other.example.com")
    with started(tmp_path / "state", dns, "--shards", "2") as node:
        for _ in range(8):  # connections go to both shards
            assert node.get(HOST) == (200, "one")
        assert node.get("other.example.com")[0] == 404
        assert check(node, "shop")["state"] == "proven"
        change(app, "two")
        node.deploy(app)
        assert node.get(HOST) == (200, "two")
        assert node.run("host", "remove", "shop", HOST).returncode == 0
        assert node.get(HOST)[0] == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 400),
        ("a.acme.localhost", 400),
        ("127.0.0.1", 400),
        ("%5B%3A%3A1%5D", 400),
        ("*.example.com", 400),
        ("example", 400),
        ("b%C3%BCcher.example", 400),
        ("a_b.example.com", 400),
        ("a.example.com%2F..", 400),
        ("node.example", 409),
        ("shop.Node.example.", 409),
    ],
)
def test_names_that_nobody_may_claim_are_refused(node, host, status):
    answer = node.ask("PUT", f"/tenants/acme/hosts/{host}", json={"app": "shop"})
    assert answer.status_code == status, answer.text


def test_what_is_claimed_must_be_an_app_of_the_tenant(node):
    for body, status in (({"app": "blog"}, 404), ({"app": 1}, 400), ({}, 400), ({"app": "shop", "x": 1}, 400)):
        assert node.ask("PUT", f"/tenants/acme/hosts/{HOST}", json=body).status_code == status
    assert node.ask("POST", f"/tenants/acme/hosts/{HOST}:check").status_code == 404
    assert node.ask("DELETE", f"/tenants/acme/hosts/{HOST}").status_code == 404
    assert node.run("host", "show", "acme", HOST).returncode == 3


class Web(http.server.ThreadingHTTPServer):
    """Whoever serves the name today."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        self.answers, self.seen = {}, []
        super().__init__((WEB, 80), WebHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class WebHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append((self.headers["host"], self.path))
        status, body = self.server.answers.get(self.path, (404, b""))
        self.send_response(status)
        if status == 302:
            self.send_header("location", body)
            body = b""
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def web():
    try:
        server = Web()
    except PermissionError:
        pytest.skip("port 80 is not for this user")
    with server:
        yield server
        server.shutdown()


@pytest.fixture
def reaching(tmp_path, dns):
    """A node that may call the address of the test's web server."""
    with started(tmp_path / "state", dns, "--allow-egress", f"{WEB}/32") as node:
        node.deploy(app_of(tmp_path / "app", "one"))
        yield node


def test_a_name_is_proven_by_who_serves_it_today(reaching, dns, web):
    dns.records[(HOST, "A")] = [WEB]
    proof = claim(reaching, "shop")["proof"]["http"]
    path = proof["url"].removeprefix(f"http://{HOST}")
    token, answer = path.rsplit("/", 1)[1], proof["body"].encode()
    wrong = [(200, b"wrong"), (200, token.encode()), (200, answer + b"x" * 4000), (201, answer), (302, "/elsewhere")]
    web.answers["/elsewhere"] = (200, answer)
    for each in wrong:
        web.answers[path] = each
        assert check(reaching, "shop")["state"] == "claimed", each
    assert "/elsewhere" not in [path for _, path in web.seen]
    web.answers[path] = (200, answer + b"\n")
    assert check(reaching, "shop")["state"] == "proven"
    assert web.seen[-1] == (HOST, path)
    assert reaching.get(HOST) == (200, "one")


def test_a_name_that_resolves_to_a_private_address_is_not_asked(reaching, dns):
    """Rebinding: the name is public, its address is not; one bad address among good ones is enough."""
    claim(reaching, "shop")
    for addresses in (["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["0.0.0.0"], [WEB, "192.168.0.1"]):
        dns.records[(HOST, "A")] = addresses
        checked = check(reaching, "shop")
        assert checked["state"] == "claimed"
        assert "HTTP: " in checked["problem"]
    dns.records[(HOST, "A")], dns.records[(HOST, "AAAA")] = [], ["::1"]
    assert check(reaching, "shop")["state"] == "claimed"
    assert reaching.get(HOST)[0] == 404


def test_a_node_does_not_prove_a_name_to_itself(reaching, dns):
    """The name leads here already: that says nothing about whose it is."""
    dns.records[(HOST, "A")] = ["127.0.0.1"]
    claim(reaching, "shop")
    assert check(reaching, "shop")["state"] == "claimed"


def test_without_a_dns_server_nothing_is_proven_and_all_else_goes_on(tmp_path):
    with DnsServer() as dns, started(tmp_path / "state", dns) as node:
        node.deploy(app_of(tmp_path / "app", "one"))
        claim(node, "shop")
        dns.socket.close()
        assert check(node, "shop")["state"] == "claimed"
        assert node.get("shop.localhost") == (200, "one")
