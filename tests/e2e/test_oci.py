"""`carrel pull` and `carrel push` against a real registry, with the layouts that other tools publish."""

import base64
import gzip
import io
import json
import subprocess
import tarfile
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from registry import LOGIN, OCI_INDEX, OCI_MANIFEST, Answering, Registry, descriptor, digest_of

MODULE = b"\0asm\x01\0\0\0"  # the smallest there is
TAR_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"


def module(name):
    """A module with a custom section of this name: each has a digest of its own."""
    section = bytes([len(name)]) + name.encode()
    return MODULE + b"\0" + bytes([len(section)]) + section


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    started = Registry(tmp_path_factory.mktemp("registry"))
    yield started
    started.end()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    started = Registry(tmp_path_factory.mktemp("guarded"), login=LOGIN)
    yield started
    started.end()


@pytest.fixture
def pull(run_carrel, tmp_path):
    """pull(REFERENCE, ...): what was pulled as (JSON, bytes); it must succeed."""

    def run(reference, *options, env=None):
        place = tmp_path / "pulled.wasm"
        done = run_carrel(
            "pull", reference, "-o", place, "--json", *options, env={"HOME": str(tmp_path), **(env or {})}
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), place.read_bytes()

    return run


def logins(folder, host, user, password):
    file = folder / "config.json"
    both = base64.b64encode(f"{user}:{password}".encode()).decode()
    file.write_text(json.dumps({"auths": {host: {"auth": both}}}))
    return file


def test_what_is_pushed_can_be_pulled_by_tag_and_by_digest(run_carrel, pull, registry, tmp_path):
    file = tmp_path / "price.wasm"
    file.write_bytes(module("price"))
    pushed = run_carrel("push", file, f"{registry.host}/team/price:1.0")
    assert pushed.returncode == 0, pushed.stderr
    pinned = pushed.stdout.strip()
    found, content = pull(f"oci://{registry.host}/team/price:1.0")
    assert content == module("price")
    assert found["reference"] == pinned
    assert found["module"] == digest_of(module("price"))
    assert pull(pinned)[1] == content
    assert pull(f"{registry.host}/team/price@{found['image']}")[1] == content


def test_a_pushed_image_has_the_types_its_readers_look_for(run_carrel, registry, tmp_path):
    file = tmp_path / "a.wasm"
    file.write_bytes(module("layouts"))
    expected = {
        "cncf": ("application/vnd.wasm.config.v0+json", "application/wasm"),
        "kubewarden": ("application/vnd.wasm.config.v1+json", "application/vnd.wasm.content.layer.v1+wasm"),
        "istio": ("application/vnd.module.wasm.config.v1+json", "application/vnd.module.wasm.content.layer.v1+wasm"),
    }
    for layout, (config, layer) in expected.items():
        done = run_carrel("push", file, f"{registry.host}/layouts:{layout}", "--layout", layout)
        assert done.returncode == 0, done.stderr
        manifest = registry.manifest("layouts", layout)
        assert manifest["mediaType"] == OCI_MANIFEST
        assert manifest["config"]["mediaType"] == config
        # Istio wants two layers; Envoy takes the first one.
        assert [each["mediaType"] for each in manifest["layers"]] == ([layer, config] if layout == "istio" else [layer])
    config = json.loads(registry.blob("layouts", registry.manifest("layouts", "cncf")["config"]["digest"]))
    assert config["architecture"] == "wasm"
    assert config["os"] == "wasip1"
    assert config["layerDigests"] == [digest_of(module("layouts"))]
    assert time.strptime(config["created"], "%Y-%m-%dT%H:%M:%SZ")


def test_the_same_module_makes_the_same_image_at_the_same_time(run_carrel, registry, tmp_path):
    file = tmp_path / "a.wasm"
    file.write_bytes(module("again"))
    env = {"SOURCE_DATE_EPOCH": "1700000000"}
    both = [run_carrel("push", file, f"{registry.host}/again:{tag}", env=env).stdout for tag in ("a", "b")]
    assert both[0].split("@")[1] == both[1].split("@")[1]


def packed(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(buffer.getvalue())


LAYOUTS = {
    "wkg": ([(module("wkg"), "application/wasm")], "application/vnd.wasm.config.v0+json"),
    "wasmcloud": (
        [(module("wasmcloud"), "application/vnd.module.wasm.content.layer.v1+wasm")],
        "application/vnd.wasmcloud.actor.archive.config",
    ),
    "spin": (
        [
            (b"a file", "application/vnd.wasm.content.layer.v1+data"),
            (module("spin"), "application/vnd.wasm.content.layer.v1+wasm"),
        ],
        "application/vnd.fermyon.spin.application.v1+config",
    ),
    "kubewarden": (
        [(module("kubewarden"), "application/vnd.wasm.content.layer.v1+wasm")],
        "application/vnd.wasm.config.v1+json",
    ),
    "istio": (
        [
            (b"{}", "application/vnd.module.wasm.config.v1+json"),
            (module("istio"), "application/vnd.module.wasm.content.layer.v1+wasm"),
        ],
        "application/vnd.module.wasm.config.v1+json",
    ),
    "docker": (
        [
            (packed([("etc/passwd", b"x"), ("old.wasm", module("old"))]), TAR_GZIP),
            (packed([("./plugin.wasm", module("docker"))]), TAR_GZIP),
        ],
        "application/vnd.oci.image.config.v1+json",
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_reads_what_others_publish(pull, registry, layout):
    layers, config_type = LAYOUTS[layout]
    registry.put_image(f"others/{layout}", "1", layers, config_type=config_type)
    found, content = pull(f"{registry.host}/others/{layout}:1")
    assert content == module(layout)
    assert found["module"] == digest_of(module(layout))


def test_of_an_index_the_wasm_platform_is_taken(pull, registry):
    wasm = registry.put_image("multi", "wasm", [(module("multi"), "application/wasm")])
    linux = registry.put_image("multi", "linux", [(packed([("bin/sh", b"x")]), TAR_GZIP)])
    entries = []
    for digest, platform in ((linux, ("amd64", "linux")), (wasm, ("wasm", "wasip1"))):
        content = registry.request("GET", f"/v2/multi/manifests/{digest}", headers={"Accept": OCI_MANIFEST})[2]
        architecture, system = platform
        entries.append(descriptor(content, OCI_MANIFEST, platform={"architecture": architecture, "os": system}))
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
    pinned = registry.put_manifest("multi", "all", index, OCI_INDEX)
    found, content = pull(f"{registry.host}/multi:all")
    assert content == module("multi")
    assert (found["image"], found["manifest"]) == (pinned, wasm)


def test_of_several_modules_one_is_named(run_carrel, pull, registry):
    layer = "application/vnd.wasm.content.layer.v1+wasm"
    registry.put_image("several", "1", [(module("one"), layer), (module("two"), layer)])
    done = run_carrel("pull", f"{registry.host}/several:1", "-o", "/dev/null/x")
    assert done.returncode == 1
    assert pull(f"{registry.host}/several:1", "--layer", digest_of(module("two")))[1] == module("two")


def test_nothing_is_left_of_what_could_not_be_pulled(run_carrel, registry, tmp_path):
    registry.put_image("text", "1", [(b"no module", "application/wasm")])
    for name, words in (("text:1", "not WebAssembly"), ("text:2", "404"), ("nowhere:1", "404")):
        done = run_carrel("pull", f"{registry.host}/{name}", cwd=tmp_path)
        assert done.returncode == 1
        assert words in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_replaced_only_if_it_was_named(run_carrel, registry, tmp_path):
    registry.put_image("there", "1", [(module("there"), "application/wasm")])
    (tmp_path / "there.wasm").write_text("mine")
    refused = run_carrel("pull", f"{registry.host}/there:1", cwd=tmp_path)
    assert refused.returncode == 1
    assert "-o there.wasm" in refused.stderr
    assert run_carrel("pull", f"{registry.host}/there:1", "-o", "there.wasm", cwd=tmp_path).returncode == 0
    assert (tmp_path / "there.wasm").read_bytes() == module("there")


def test_what_is_no_module_is_not_pushed(run_carrel, registry, tmp_path):
    for content, words in ((b"(module)", "text"), (b"hello", "not WebAssembly")):
        file = tmp_path / "x"
        file.write_bytes(content)
        done = run_carrel("push", file, f"{registry.host}/x:1")
        assert done.returncode == 1
        assert words in done.stderr
    file.write_bytes(MODULE)
    for reference in (f"{registry.host}/x@{digest_of(b'')}", "x:1", f"{registry.host}/x"):
        assert run_carrel("push", file, reference).returncode == 2


def test_a_login_comes_from_dockers_file(run_carrel, pull, guarded, tmp_path):
    file = tmp_path / "a.wasm"
    file.write_bytes(module("guarded"))
    reference = f"{guarded.host}/team/a:1"
    bare = {"DOCKER_CONFIG": str(tmp_path / "none"), "HOME": str(tmp_path)}
    refused = run_carrel("push", file, reference, env=bare)
    assert refused.returncode == 1
    assert f"docker login {guarded.host}" in refused.stderr
    config = logins(tmp_path, guarded.host, *LOGIN)
    assert run_carrel("push", file, reference, "--registry-config", config, env=bare).returncode == 0
    assert pull(reference, env={"DOCKER_CONFIG": str(tmp_path)})[1] == module("guarded")
    logins(tmp_path, guarded.host, LOGIN[0], "wrong")
    wrong = run_carrel("pull", reference, "-o", tmp_path / "b", "--registry-config", config)
    assert wrong.returncode == 1
    assert "does not take the login" in wrong.stderr
    assert "wrong" not in wrong.stderr


class TokenService:
    """What `docker login`'s registries have: it signs what a user may do for the registry to believe."""

    def __init__(self, folder):
        self.folder = folder
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tokens"]
        subprocess.run(
            [*command, "-keyout", "key.pem", "-out", "cert.pem"], cwd=folder, check=True, capture_output=True
        )
        pem = (folder / "cert.pem").read_text()
        self.certificate = "".join(line for line in pem.splitlines() if not line.startswith("-"))
        self.asked = []
        self.server = Answering({"/token": self.give})

    def settings(self):
        return {
            "realm": f"http://{self.server.host}/token",
            "service": "the registry",
            "issuer": "tokens",
            "rootcertbundle": str(self.folder / "cert.pem"),
        }

    def give(self, handler):
        form = handler.body.decode() if handler.command == "POST" else urlsplit(handler.path).query
        asked = {name: values[0] for name, values in parse_qs(form).items()}
        self.asked.append(asked)
        basic = "Basic " + base64.b64encode(":".join(LOGIN).encode()).decode()
        known = handler.headers.get("Authorization") == basic or asked.get("refresh_token") == "refresh me"
        kind, name, actions = asked["scope"].split(":")
        allowed = actions.split(",") if known else ["pull"]
        token = self.signed([{"type": kind, "name": name, "actions": allowed}])
        key = "access_token" if handler.command == "POST" else "token"
        handler.answer(200, json.dumps({key: token}).encode())

    def signed(self, access):
        def encoded(content):
            return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

        now = int(time.time())
        claims = {"iss": "tokens", "sub": "", "aud": "the registry", "exp": now + 300, "nbf": now - 5, "iat": now}
        parts = ({"typ": "JWT", "alg": "RS256", "x5c": [self.certificate]}, {**claims, "jti": "1", "access": access})
        text = ".".join(encoded(json.dumps(part).encode()) for part in parts)
        sign = ["openssl", "dgst", "-sha256", "-sign", "key.pem"]
        return (
            text + "." + encoded(subprocess.run(sign, cwd=self.folder, input=text.encode(), capture_output=True).stdout)
        )


def test_a_token_service_is_asked_for_what_is_needed(run_carrel, pull, tmp_path):
    folder = tmp_path / "service"
    folder.mkdir()
    service = TokenService(folder)
    registry = Registry(folder, token_service=service.settings())
    try:
        file = tmp_path / "a.wasm"
        file.write_bytes(module("tokens"))
        reference = f"{registry.host}/team/a:1"
        loopback = ("--allow-egress", "127.0.0.0/8")
        empty = tmp_path / "empty.json"
        empty.write_text("{}")
        # Where a registry sends us is called by the policy: the loopback only if it is allowed.
        shut = run_carrel("push", file, reference, "--registry-config", empty)
        assert shut.returncode == 1
        assert "may not be called" in shut.stderr
        anonymous = run_carrel("push", file, reference, "--registry-config", empty, *loopback)
        assert anonymous.returncode == 1
        assert "wants a login" in anonymous.stderr
        config = logins(tmp_path, registry.host, *LOGIN)
        done = run_carrel("push", file, reference, "--registry-config", config, *loopback)
        assert done.returncode == 0, done.stderr
        assert service.asked[-1]["scope"] == "repository:team/a:pull,push"
        assert service.asked[-1]["service"] == "the registry"
        assert pull(reference, "--registry-config", str(empty), *loopback)[1] == module("tokens")
        assert service.asked[-1]["scope"] == "repository:team/a:pull"
        config.write_text(json.dumps({"auths": {registry.host: {"identitytoken": "refresh me"}}}))
        done = run_carrel("push", file, f"{registry.host}/team/a:2", "--registry-config", config, *loopback)
        assert done.returncode == 0, done.stderr
        assert service.asked[-1]["grant_type"] == "refresh_token"
    finally:
        registry.end()
        service.server.end()
