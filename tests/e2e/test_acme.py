"""Certificates by themselves: ACME with http-01, against Pebble."""

import http.client
import json
import re
import socket
import ssl
import stat
import time
from datetime import UTC, datetime

import pytest
from deploying import Node, app_of
from dns_server import DnsServer
from pebble import Pebble, free_port

HOST = "www.example.com"


@pytest.fixture
def dns():
    with DnsServer() as server:
        yield server


class World:
    """A node that gets its certificates from a Pebble of its own."""

    def __init__(self, tmp_path, dns):
        self.tmp_path, self.dns, self.plain = tmp_path, dns, free_port()
        self.pebble = None

    def start_pebble(self, **options):
        self.pebble = Pebble(self.tmp_path / "pebble", self.dns, self.plain, **options)
        return self.pebble

    def node(self, *arguments):
        acme = ["--acme", self.pebble.url, "--acme-terms", "agreed", "--acme-ca-file", self.pebble.ca_file]
        plain = ["--listen-plain", f"127.0.0.1:{self.plain}"]
        return Node(
            self.tmp_path / "state",
            ["--dns", self.dns.address, "--allow-egress", "127.0.0.0/8", *plain, *acme, *arguments],
        )

    def give(self, node, host, tenant="shop"):
        """The tenant proves the name, which leads here."""
        answer = node.ask("PUT", f"/tenants/{tenant}/hosts/{host}", json={"app": "shop"})
        assert answer.status_code == 200, answer.text
        proof = answer.json()["proof"]["dns"]
        self.dns.records[(proof["name"], "TXT")] = [proof["text"]]
        self.dns.records[(host, "A")] = ["127.0.0.1"]
        assert node.ask("POST", f"/tenants/{tenant}/hosts/{host}:check").json()["state"] == "proven"

    def get(self, node, host):
        """Over TLS, trusting who signs: (status, body, serial number); None: no such connection."""
        trust = ssl.create_default_context(cadata=self.pebble.root)
        try:
            with (
                socket.create_connection(("127.0.0.1", node.server.port), timeout=10) as plain,
                trust.wrap_socket(plain, server_hostname=host) as connection,
            ):
                connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                answer = http.client.HTTPResponse(connection)
                answer.begin()
                return answer.status, answer.read().decode(), connection.getpeercert()["serialNumber"]
        except ssl.SSLError:
            return None


@pytest.fixture
def world(tmp_path, dns):
    world = World(tmp_path, dns)
    yield world
    if world.pebble:
        with world.pebble:
            pass


def until(condition, seconds=40, log=lambda: ""):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, log()
        time.sleep(0.1)
    return found


def test_a_proven_name_gets_a_certificate_and_keeps_it(world):
    world.start_pebble(bad_nonces=20)
    with world.node("--acme-contact", "ops@example.com", "--shards", "2") as node:
        node.deploy(app_of(world.tmp_path / "app", "over TLS"))
        assert world.get(node, HOST) is None
        world.give(node, HOST)
        status, body, serial = until(lambda: world.get(node, HOST), log=lambda: node.server.log)
        assert (status, body) == (200, "over TLS")
        assert "certificate_issued" in node.server.log
        certificate = node.ask("GET", f"/tenants/shop/hosts/{HOST}").json()["certificate"]
        assert (certificate["state"], certificate["from"], "failure" in certificate) == ("valid", "acme", False)
        assert f"certificate of acme until {certificate['until']}" in node.run("host", "list").stdout
        assert node.server.stop() == 0
    folder = world.tmp_path / "state" / "acme"
    for path in (folder, folder / "certificates"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in (folder / "account.key", folder / "certificates" / f"{HOST}.pem"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with world.node() as node:  # it is there at once, and nothing is ordered
        assert world.get(node, HOST)[2] == serial
        time.sleep(2.5)
        assert world.get(node, HOST)[2] == serial
        assert "certificate_issued" not in node.server.log
        assert node.server.stop() == 0


def test_a_name_that_nobody_has_proven_is_not_ordered(world):
    world.start_pebble()
    with world.node("--acme-name", "node.example.com") as node:
        world.dns.records[("node.example.com", "A")] = ["127.0.0.1"]
        node.deploy(app_of(world.tmp_path / "app", "one"))
        claimed = node.ask("PUT", f"/tenants/shop/hosts/{HOST}", json={"app": "shop"})
        assert claimed.json()["state"] == "claimed"
        world.dns.records[(HOST, "A")] = ["127.0.0.1"]
        # The operator's own name is.
        assert until(lambda: world.get(node, "node.example.com"), log=lambda: node.server.log)[0] == 404
        assert world.get(node, HOST) is None
        assert HOST not in world.pebble.log
        assert node.server.stop() == 0


def test_it_is_renewed_before_it_ends(world):
    world.start_pebble(seconds=30)
    with world.node() as node:
        node.deploy(app_of(world.tmp_path / "app", "one"))
        world.give(node, HOST)
        first = until(lambda: world.get(node, HOST), log=lambda: node.server.log)[2]
        seen = set()

        def renewed():
            answer = world.get(node, HOST)  # trusted, so it is good at this moment
            assert answer is not None, node.server.log
            seen.add(answer[2])
            return bool(seen - {first})

        until(renewed, seconds=60, log=lambda: node.server.log)
        assert node.server.stop() == 0


def test_a_name_that_fails_waits_while_others_go_on(world):
    world.start_pebble(blocked=["blocked.example.com"])
    with world.node() as node:
        node.deploy(app_of(world.tmp_path / "app", "one"))
        world.give(node, "blocked.example.com")
        world.give(node, "elsewhere.example.com")
        world.dns.records[("elsewhere.example.com", "A")] = ["127.0.80.9"]  # nobody is there
        world.give(node, HOST)
        until(lambda: world.get(node, HOST), log=lambda: node.server.log)
        until(lambda: node.server.log.count("certificate_not_issued") == 2, log=lambda: node.server.log)
        lines = [json.loads(line) for line in node.server.lines if "certificate_not_issued" in line]
        assert {line["host"] for line in lines} == {"blocked.example.com", "elsewhere.example.com"}
        assert all(240 <= line["again_in_seconds"] <= 360 for line in lines)
        refused = next(line for line in lines if line["host"] == "blocked.example.com")
        assert "rejectedIdentifier" in refused["message"]
        hosts = {each["host"]: each["certificate"] for each in node.ask("GET", "/tenants/shop/hosts").json()["hosts"]}
        assert hosts[HOST]["state"] == "valid" and "failure" not in hosts[HOST]
        known = hosts["blocked.example.com"]
        assert (known["state"], known["failure"]["message"]) == ("none", refused["message"])
        again = datetime.fromisoformat(known["failure"]["again"])
        assert 60 <= (again - datetime.now(UTC)).total_seconds() <= 360
        assert "no certificate; not issued: " in node.run("host", "list", "shop").stdout
        assert node.ask("DELETE", "/tenants/shop/hosts/blocked.example.com").status_code == 204
        assert node.server.stop() == 0


def test_without_agreeing_to_the_terms_nothing_is_ordered(world):
    world.start_pebble()
    arguments = ["--acme", world.pebble.url, "--acme-ca-file", world.pebble.ca_file]
    plain = ["--listen-plain", f"127.0.0.1:{world.plain}", "--acme-name", HOST]
    egress = ["--dns", world.dns.address, "--allow-egress", "127.0.0.0/8"]
    with Node(world.tmp_path / "state", [*egress, *plain, *arguments]) as node:
        until(lambda: "--acme-terms" in node.server.log)
        assert "new-order" not in world.pebble.log
        assert node.server.stop() == 0


@pytest.mark.parametrize("wrong", ["ca", "egress"])
def test_a_server_that_is_not_believed_or_not_allowed_is_not_asked(world, wrong):
    world.start_pebble()
    acme = ["--acme", world.pebble.url, "--acme-terms", "agreed", "--acme-name", HOST]
    ca = ["--acme-ca-file", world.pebble.ca_file] if wrong == "egress" else []
    egress = ["--allow-egress", "127.0.0.0/8"] if wrong == "ca" else []
    plain = ["--listen-plain", f"127.0.0.1:{world.plain}"]
    with Node(world.tmp_path / "state", ["--dns", world.dns.address, *plain, *acme, *ca, *egress]) as node:
        line = until(lambda: next((x for x in node.server.lines if "certificate_not_issued" in x), None))
        assert json.loads(line)["code"] == ("egress_tls" if wrong == "ca" else "egress_address")
        assert node.server.stop() == 0


def test_the_plain_listener_answers_challenges_only_and_sends_others_to_https(world):
    world.start_pebble()
    with world.node() as node:

        def get(path, host=HOST, method="GET"):
            connection = http.client.HTTPConnection("127.0.0.1", world.plain, timeout=10)
            connection.request(method, path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.getheader("location")

        port = node.server.port
        assert get("/a?b=c", f"{HOST}:80") == (308, f"https://{HOST}:{port}/a?b=c")
        assert get("/x", method="POST")[0] == 308
        for token in ("", "x", "../x", "a" * 300, "%00"):
            assert get(f"/.well-known/acme-challenge/{token}")[0] == 404
        assert get("/.well-known/acme-challenge")[0] == 308
        assert get("/", host="")[0] == 400
        assert node.server.stop() == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--acme", "https://acme.example/dir"],  # no plain listener for the challenges
        ["--acme", "http://acme.example/dir", "--listen-plain", "127.0.0.1:0"],
        ["--acme", "acme.example", "--listen-plain", "127.0.0.1:0"],
        ["--listen-plain", "127.0.0.1:0"],  # and nothing with TLS beside it
        ["--acme-name", HOST],
        ["--acme", "https://a.example/d", "--listen-plain", "127.0.0.1:0", "--acme-name", "*.example.com"],
        ["--acme", "https://a.example/d", "--listen-plain", "127.0.0.1:0", "--acme-terms", "no"],
    ],
)
def test_options_that_do_not_fit_are_refused(run_carrel, tmp_path, arguments):
    done = run_carrel("serve", "--port", "0", "--state", tmp_path / "state", *arguments)
    assert done.returncode not in (0, None)
    assert re.search("acme|plain", done.stderr), done.stderr
