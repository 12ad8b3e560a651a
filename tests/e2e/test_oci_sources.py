"""Apps whose modules are in a registry: served, tested, pinned, kept, and only if they are signed."""

import json
import shutil
import subprocess

import pytest
from registry import LOGIN, Registry
from test_oci import logins
from wasm_binary import answering

from support import App, Server

LOOPBACK = ("--allow-egress", "127.0.0.0/8")


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    started = Registry(tmp_path_factory.mktemp("registry"))
    yield started
    started.end()


@pytest.fixture
def push(run_carrel, tmp_path):
    """push(REFERENCE, WORD): a function that answers with the word; gives the pinned reference."""

    def run(reference, word):
        file = tmp_path / f"{word}.wasm"
        file.write_bytes(answering(word))
        done = run_carrel("push", file, reference)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


def app_from(folder, source, name="shop"):
    app = App(folder, name)
    app.text += f'\n[module.hello]\nsource = "{source}"\n'
    return app.route("GET /hello", "hello")


def serve(folder, state, *options):
    return Server(["serve", folder, "--port", "0", "--admin", "off", "--state", state, *LOOPBACK, *options])


def test_a_module_in_a_registry_is_served_and_kept(registry, push, tmp_path):
    pinned = push(f"{registry.host}/kept:1", "first")
    app_from(tmp_path / "app", pinned)
    with serve(tmp_path / "app", tmp_path / "state") as server:
        assert server.get("/hello")[2] == b"first"
        assert "to pin it" not in server.log
    [module] = (tmp_path / "state/oci/modules").iterdir()
    assert module.read_bytes() == answering("first")
    # What is pinned and kept needs no registry: here nothing may be called.
    with Server(["serve", tmp_path / "app", "--port", "0", "--admin", "off", "--state", tmp_path / "state"]) as server:
        assert server.get("/hello")[2] == b"first"
    module.write_bytes(answering("forged"))
    with serve(tmp_path / "app", tmp_path / "state") as server:
        assert server.get("/hello")[2] == b"first"


def test_a_tag_is_looked_up_when_the_app_is_loaded_and_how_to_pin_it_is_said(registry, push, tmp_path):
    first = push(f"{registry.host}/moving:1", "first")
    app_from(tmp_path / "app", f"oci://{registry.host}/moving:1")
    with serve(tmp_path / "app", tmp_path / "state") as server:
        assert server.get("/hello")[2] == b"first"
        assert first in server.log
        push(f"{registry.host}/moving:1", "second")
        assert server.get("/hello")[2] == b"first"
    with serve(tmp_path / "app", tmp_path / "state") as server:
        assert server.get("/hello")[2] == b"second"


def test_the_registry_is_called_only_within_the_policy(registry, push, run_carrel, tmp_path):
    app_from(tmp_path / "app", push(f"{registry.host}/policy:1", "first"))
    done = run_carrel("serve", tmp_path / "app", "--port", "0", "--state", tmp_path / "state")
    assert done.returncode == 1
    assert "127.0.0.1 is loopback" in done.stderr
    assert 'module "hello"' in done.stderr


def test_cases_and_single_turns_run_modules_of_a_registry(registry, push, run_carrel, tmp_path):
    app_from(tmp_path / "app", push(f"{registry.host}/cases:1", "first"))
    case = tmp_path / "app/tests/hello"
    case.mkdir(parents=True)
    (case / "case.toml").write_text('[case]\n[event]\npath = "/hello"\n[expect]\nbody = "first"\n')
    done = run_carrel("test", tmp_path / "app")
    assert done.returncode == 0, done.stdout + done.stderr
    done = run_carrel("invoke", tmp_path / "app", "--path", "/hello")
    assert (done.returncode, done.stdout) == (0, "first")


def test_every_module_that_cannot_be_had_is_named(registry, run_carrel, tmp_path):
    app = app_from(tmp_path / "app", f"oci://{registry.host}/none:1")
    app.text += f'\n[module.other]\nsource = "oci://{registry.host}/none:2"\n'
    app.write()
    done = run_carrel("serve", tmp_path / "app", "--port", "0", "--state", tmp_path / "state", *LOOPBACK)
    assert done.returncode == 1
    for words in ('module "hello"', 'module "other"', "404"):
        assert words in done.stderr


def test_a_server_has_the_logins_of_its_operator(run_carrel, tmp_path):
    guarded = Registry(tmp_path, login=LOGIN)
    try:
        file = tmp_path / "a.wasm"
        file.write_bytes(answering("first"))
        config = logins(tmp_path, guarded.host, *LOGIN)
        pushed = run_carrel("push", file, f"{guarded.host}/a:1", "--registry-config", config)
        app_from(tmp_path / "app", pushed.stdout.strip())
        with serve(tmp_path / "app", tmp_path / "state", "--registry-config", config) as server:
            assert server.get("/hello")[2] == b"first"
    finally:
        guarded.end()


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """keys(NAME): a pair of files."""
    folder = tmp_path_factory.mktemp("keys")

    def make(name):
        private, public = folder / f"{name}.pem", folder / f"{name}.pub"
        if not private.is_file():
            curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
            subprocess.run(["openssl", "genpkey", *curve, "-out", private], check=True, capture_output=True)
            subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
        return private, public

    return make


def test_what_is_signed_verifies_with_that_key_and_no_other(registry, push, run_carrel, keys):
    pinned = push(f"{registry.host}/signed:1", "first")
    (alice, alice_public), (bob, bob_public) = keys("alice"), keys("bob")
    reference = f"{registry.host}/signed:1"
    unsigned = run_carrel("verify", reference, "--key", alice_public)
    assert unsigned.returncode == 1
    assert "is not signed" in unsigned.stderr
    done = run_carrel("sign", reference, "--key", alice)
    assert done.returncode == 0, done.stderr
    assert pinned in done.stdout
    assert run_carrel("verify", reference, "--key", alice_public).returncode == 0
    other = run_carrel("verify", reference, "--key", bob_public)
    assert other.returncode == 1
    assert "none of the 1 signatures" in other.stderr
    # Once more changes nothing; another's stands beside it.
    tag = pinned.split("@")[1].replace(":", "-") + ".sig"
    assert run_carrel("sign", reference, "--key", alice).returncode == 0
    assert len(registry.manifest("signed", tag)["layers"]) == 1
    assert run_carrel("sign", pinned, "--key", bob).returncode == 0
    assert len(registry.manifest("signed", tag)["layers"]) == 2
    both = run_carrel("verify", reference, "--json", "--key", alice_public, "--key", bob_public)
    assert len(json.loads(both.stdout)["keys"]) == 2
    # Of what the tag names now, not of what it named.
    push(reference, "second")
    assert run_carrel("verify", reference, "--key", alice_public).returncode == 1
    assert run_carrel("verify", pinned, "--key", alice_public).returncode == 0


def test_a_signature_is_as_openssl_checks_it(registry, push, run_carrel, keys, tmp_path):
    import base64  # noqa: PLC0415

    pinned = push(f"{registry.host}/openssl:1", "first")
    private, public = keys("alice")
    assert run_carrel("sign", pinned, "--key", private).returncode == 0
    digest = pinned.split("@")[1]
    [layer] = registry.manifest("openssl", digest.replace(":", "-") + ".sig")["layers"]
    assert layer["mediaType"] == "application/vnd.dev.cosign.simplesigning.v1+json"
    payload = registry.blob("openssl", layer["digest"])
    assert json.loads(payload)["critical"]["image"]["docker-manifest-digest"] == digest
    (tmp_path / "signature").write_bytes(base64.b64decode(layer["annotations"]["dev.cosignproject.cosign/signature"]))
    check = ["openssl", "dgst", "-sha256", "-verify", public, "-signature", tmp_path / "signature"]
    assert subprocess.run(check, input=payload, capture_output=True).returncode == 0


def test_a_signature_moved_to_another_image_counts_for_nothing(registry, push, run_carrel, keys):
    private, public = keys("alice")
    good = push(f"{registry.host}/moved:good", "first").split("@")[1]
    evil = push(f"{registry.host}/moved:evil", "second").split("@")[1]
    assert run_carrel("sign", f"{registry.host}/moved:good", "--key", private).returncode == 0
    tag = good.replace(":", "-") + ".sig"
    copied = registry.request(
        "GET", f"/v2/moved/manifests/{tag}", headers={"Accept": "application/vnd.oci.image.manifest.v1+json"}
    )[2]
    registry.put_manifest("moved", evil.replace(":", "-") + ".sig", copied)
    assert run_carrel("verify", f"{registry.host}/moved:evil", "--key", public).returncode == 1


def test_only_signed_modules_are_served_where_that_is_asked_for(registry, push, run_carrel, keys, tmp_path):
    (alice, alice_public), (_, bob_public) = keys("alice"), keys("bob")
    pinned = push(f"{registry.host}/policy/a:1", "first")
    app_from(tmp_path / "app", pinned)
    state = tmp_path / "state"

    def refused(*options):
        done = run_carrel("serve", tmp_path / "app", "--port", "0", "--state", state, *LOOPBACK, *options)
        assert done.returncode != 0
        return done.stderr

    with serve(tmp_path / "app", state) as server:  # kept from a time without the policy
        assert server.get("/hello")[0] == 200
    assert "is not signed" in refused("--signed-by", alice_public)
    assert run_carrel("sign", pinned, "--key", alice).returncode == 0
    assert "by a key that is trusted" in refused("--signed-by", bob_public)
    signed = ("--signed-by", bob_public, "--signed-by", alice_public)
    with serve(tmp_path / "app", state, *signed) as server:
        assert server.get("/hello")[2] == b"first"
    assert "cannot be used" in refused("--signed-by", alice)


@pytest.mark.skipif(shutil.which("cosign") is None, reason="cosign is not installed")
def test_cosign_reads_our_signatures_and_we_read_its(registry, push, run_carrel, keys, tmp_path):
    env = {"COSIGN_PASSWORD": "pw", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}

    def cosign(*arguments):
        command = [shutil.which("cosign"), *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)

    assert cosign("generate-key-pair").returncode == 0
    private, public = keys("alice")
    for name in ("ours", "theirs"):
        push(f"{registry.host}/cosign/{name}:1", name)
    ours = f"{registry.host}/cosign/ours:1"
    assert run_carrel("sign", ours, "--key", private).returncode == 0
    local = ("--allow-insecure-registry", "--insecure-ignore-tlog")
    done = cosign("verify", "--key", public, *local, ours)
    assert done.returncode == 0, done.stderr
    theirs = f"{registry.host}/cosign/theirs:1"
    upload = ("--tlog-upload=false", "--new-bundle-format=false", "--use-signing-config=false", "--yes")
    done = cosign("sign", "--key", "cosign.key", *upload, "--allow-insecure-registry", theirs)
    assert done.returncode == 0, done.stderr
    assert run_carrel("verify", theirs, "--key", tmp_path / "cosign.pub").returncode == 0
    # Its key makes ours, and both stand beside each other.
    done = run_carrel("sign", ours, "--key", tmp_path / "cosign.key", env={"COSIGN_PASSWORD": "pw"})
    assert done.returncode == 0, done.stderr
    assert cosign("verify", "--key", tmp_path / "cosign.pub", *local, ours).returncode == 0
    assert run_carrel("sign", theirs, "--key", private).returncode == 0
    for key in (public, tmp_path / "cosign.pub"):
        assert cosign("verify", "--key", key, *local, theirs).returncode == 0
        assert run_carrel("verify", theirs, "--key", key).returncode == 0
