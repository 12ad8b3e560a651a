"""Callers that an issuer outside vouches for: what functions see of them, and what the /v1 API opens to them."""

import base64
import hmac
import json
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from support import App, Server


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Makes an Ed25519 key by openssl, publishes it over HTTP, and signs tokens."""

    def __init__(self, folder):
        self.folder, self.kid, self.asked, self.keys = folder, "", 0, []
        self.discovered, self.configuration = 0, {}
        self.rotate("k1")
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path.endswith("/.well-known/openid-configuration"):
                    issuer.discovered += 1
                    body = json.dumps(issuer.configuration).encode()
                else:
                    issuer.asked += 1
                    body = json.dumps({"keys": issuer.keys}).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def rotate(self, kid):
        self.kid, self.key = kid, self.folder / f"{kid}.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.key], check=True)
        der = subprocess.run(
            ["openssl", "pkey", "-in", self.key, "-pubout", "-outform", "DER"], check=True, capture_output=True
        ).stdout
        self.keys = [{"kty": "OKP", "crv": "Ed25519", "kid": kid, "use": "sig", "x": encoded(der[-32:])}]

    def sign(self, header=None, **claims):
        head = {"alg": "EdDSA", "kid": self.kid} | (header or {})
        body = {"iss": "https://id.example", "aud": "carrel", "sub": "ada", "exp": int(time.time()) + 300} | claims
        text = f"{encoded(json.dumps(head).encode())}.{encoded(json.dumps(body).encode())}"
        message, signature = self.folder / "message", self.folder / "signature"
        message.write_text(text)
        subprocess.run(
            ["openssl", "pkeyutl", "-sign", "-inkey", self.key, "-rawin", "-in", message, "-out", signature], check=True
        )
        return f"{text}.{encoded(signature.read_bytes())}"

    def sign_as_secret(self):
        """HS256 with the published key as its secret, which anybody knows."""
        head, body, _ = self.sign({"alg": "HS256"}).split(".")
        pem = subprocess.run(["openssl", "pkey", "-in", self.key, "-pubout"], check=True, capture_output=True).stdout
        return f"{head}.{body}.{encoded(hmac.digest(pem, f'{head}.{body}'.encode(), 'sha256'))}"


ISSUERS = """
[[issuer]]
issuer = "https://id.example"
audience = "carrel"
algorithms = ["EdDSA"]
keys = "{url}"
tenant = "shop"

[[issuer.access]]
claim = "groups"
value = "ops"
verbs = ["data-read", "audit"]
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory, guests):
    folder = tmp_path_factory.mktemp("jwt")
    app = (
        App(folder / "app", "shop")
        .module("keep", guests("keeper"), 'grants = { kv = ["s:rw"] }')
        .route("POST /", "keep")
    )
    issuer = Issuer(folder)
    (folder / "issuers.toml").write_text(ISSUERS.format(url=issuer.url))
    options = ["--admin", "127.0.0.1:0", "--state", folder / "state", "--issuers", folder / "issuers.toml"]
    with Server(
        ["serve", app.folder, "--port", "0", "--shards", "1", "--allow-egress", "127.0.0.0/8", *options]
    ) as server:
        server.issuer = issuer
        yield server
        assert server.stop() == 0
    issuer.server.shutdown()


def call(node, token):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    status, _, body = node.request("POST", "/", body=b"read /event/identity.json\n", headers=headers)
    return status, body


def forms_of_no_good(issuer):
    now = int(time.time())
    good = issuer.sign()
    head, body, signature = good.split(".")
    none = encoded(json.dumps({"alg": "none"}).encode())
    eve = encoded(json.dumps({"iss": "https://id.example", "sub": "eve"}).encode())
    return {
        "expired": issuer.sign(exp=now - 300),
        "wrong audience": issuer.sign(aud="other"),
        "not yet": issuer.sign(nbf=now + 300),
        "no expiry": issuer.sign(exp=None),
        "alg none": f"{none}.{body}.",
        "alg none, signed": f"{none}.{body}.{signature}",
        "public key as secret": issuer.sign_as_secret(),
        "another type of key": issuer.sign({"alg": "RS256"}),
        "no signature": f"{head}.{body}.",
        "another body": f"{head}.{eve}.{signature}",
        "unknown key": issuer.sign({"kid": "k0"}),
    }


def test_tokens_that_are_no_good_reach_no_function_and_open_nothing(node):
    for name, token in forms_of_no_good(node.issuer).items():
        status, body = call(node, token)
        known = name not in ("alg none", "alg none, signed", "public key as secret")
        assert status == (401 if known else 200), (name, body)
        assert known or b"ENOENT" in body, name  # nobody is named
        headers = {"Authorization": f"Bearer {token}"}
        api = f"http://127.0.0.1:{node.admin_port}/v1/tenants/shop/kv/s"
        assert requests.get(api, headers=headers, timeout=20).status_code == 401, name


def test_tokens_of_others_are_not_ours_to_judge(node):
    for token in (None, "opaque", "eyJhbGciOiJub25lIn0.e30.", node.issuer.sign(iss="https://other.example")):
        status, body = call(node, token)
        assert status == 200
        assert b"ENOENT" in body


def test_a_function_sees_who_calls(node):
    status, body = call(node, node.issuer.sign(email="ada@example.com"))
    assert status == 200
    assert b'"email": "ada@example.com"' in body
    assert b'"sub": "ada"' in body
    _, _, body = node.request(
        "POST", "/", body=b"read /event/attributes.json\n", headers={"Authorization": f"Bearer {node.issuer.sign()}"}
    )
    assert b'"authid": "ada"' in body


def test_the_api_opens_what_a_rule_says(node):
    url = f"http://127.0.0.1:{node.admin_port}/v1"
    for groups, expected in ((["dev"], 401), (["dev", "ops"], 200)):
        headers = {"Authorization": f"Bearer {node.issuer.sign(groups=groups)}"}
        assert requests.get(f"{url}/tenants/shop/kv/s", headers=headers, timeout=20).status_code == expected
    assert requests.put(f"{url}/tenants/shop/kv/s/k", headers=headers, timeout=20).status_code == 403
    assert requests.get(f"{url}/status", headers=headers, timeout=20).status_code == 403


def test_a_key_that_is_new_is_fetched_once_and_the_old_one_is_no_longer_believed(node):
    old = node.issuer.sign()
    assert call(node, old)[0] == 200
    node.issuer.rotate("k2")
    new = node.issuer.sign()
    asked = node.issuer.asked
    end = time.monotonic() + 30
    while call(node, new)[0] != 200:
        assert time.monotonic() < end
    assert call(node, old)[0] == 401
    assert node.issuer.asked == asked + 1


def test_a_file_of_issuers_that_is_wrong_keeps_it_from_starting(run_carrel, tmp_path):
    app = App(tmp_path / "app").wat("page", "(module)").route("GET /", "page")
    (tmp_path / "issuers.toml").write_text("[[issuer]]\nkeys = 'http://id.example/keys'\n")
    done = run_carrel(
        "serve", app.folder, "--port", "0", "--state", tmp_path / "state", "--issuers", tmp_path / "issuers.toml"
    )
    assert done.returncode == 1
    assert "issuers.toml:2" in done.stderr
    assert "https" in done.stderr


DISCOVERED = """
[[issuer]]
issuer = "{name}"
audience = "{audience}"
algorithms = ["EdDSA"]
tenant = "shop"
"""


@pytest.fixture
def shop(tmp_path, guests):
    app = App(tmp_path / "app", "shop").module("keep", guests("keeper"), 'grants = { kv = ["s:rw"] }')
    return app.route("POST /", "keep")


@pytest.fixture
def discovered(tmp_path):
    """An issuer that says itself where its keys are."""
    issuer = Issuer(tmp_path)
    issuer.name = issuer.url.removesuffix("/keys")
    issuer.configuration = {"issuer": issuer.name, "jwks_uri": issuer.url}
    issuer.file = tmp_path / "issuers.toml"
    issuer.file.write_text(DISCOVERED.format(name=issuer.name, audience="carrel"))
    yield issuer
    issuer.server.shutdown()


@pytest.fixture
def discovering(tmp_path, shop, discovered):
    """A server of the shop that believes the issuer."""
    options = ["--admin", "off", "--state", tmp_path / "state", "--issuers", discovered.file]
    with Server(
        ["serve", shop.folder, "--port", "0", "--shards", "1", "--allow-egress", "127.0.0.0/8", *options]
    ) as server:
        server.issuer = discovered
        yield server
        assert server.stop() == 0


def test_an_issuer_says_where_its_keys_are(discovering):
    issuer = discovering.issuer
    status, body = call(discovering, issuer.sign(iss=issuer.name))
    assert status == 200 and b"ada" in body
    assert call(discovering, issuer.sign(iss=issuer.name))[0] == 200
    assert (issuer.discovered, issuer.asked) == (1, 1)
    assert call(discovering, issuer.sign(iss=issuer.name, aud="other"))[0] == 401


@pytest.mark.parametrize(
    "configuration",
    [
        {},
        {"issuer": "https://other.example"},
        {"issuer": "{name}/"},
        {"issuer": "{name}", "jwks_uri": 7},
        {"issuer": "{name}", "jwks_uri": "http://id.example/keys"},
        {"issuer": "{name}", "jwks_uri": "file:///etc/passwd"},
        {"issuer": "{name}", "jwks_uri": "https://169.254.169.254/keys"},
        [],
    ],
)
def test_a_configuration_that_is_no_good_names_no_keys(discovering, configuration):
    issuer = discovering.issuer
    issuer.configuration = json.loads(json.dumps(configuration).replace("{name}", issuer.name))
    if isinstance(configuration, dict) and issuer.configuration.get("issuer") != issuer.name:
        issuer.configuration["jwks_uri"] = issuer.url
    assert call(discovering, issuer.sign(iss=issuer.name))[0] == 503
    assert issuer.asked == 0


def test_the_file_of_issuers_is_read_again(discovering):
    issuer = discovering.issuer
    assert call(discovering, issuer.sign(iss=issuer.name))[0] == 200
    issuer.file.write_text("no TOML [")
    reload(discovering, "reload_failed")
    assert call(discovering, issuer.sign(iss=issuer.name))[0] == 200
    issuer.file.write_text(DISCOVERED.format(name=issuer.name, audience="others"))
    reload(discovering, "reloaded")
    assert call(discovering, issuer.sign(iss=issuer.name))[0] == 401
    assert call(discovering, issuer.sign(iss=issuer.name, aud="others"))[0] == 200
    assert issuer.asked == 1  # its keys are the same
    issuer.file.write_text("")
    reload(discovering, "reloaded")
    status, body = call(discovering, issuer.sign(iss=issuer.name, aud="others"))
    assert (status, b"ada" in body) == (200, False)  # it is nobody's


def test_issuers_may_come_with_a_reload(tmp_path, shop, discovered):
    config = tmp_path / "carreld.toml"
    text = 'apps = ["app"]\nport = 0\nstate = "state"\nallow_egress = ["127.0.0.0/8"]\n'
    config.write_text(text)
    with Server(["serve", "--config", config]) as server:
        status, body = call(server, discovered.sign(iss=discovered.name))
        assert (status, b"ada" in body) == (200, False)
        config.write_text(text + 'issuers = "issuers.toml"\n')
        reload(server, "reloaded")
        status, body = call(server, discovered.sign(iss=discovered.name))
        assert (status, b"ada" in body) == (200, True)
        assert server.stop() == 0


def reload(server, word):
    """Until the log has the word once more."""
    before = server.log.count(word)
    server.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 20
    while server.log.count(word) == before:
        assert time.monotonic() < end, server.log
        time.sleep(0.02)
