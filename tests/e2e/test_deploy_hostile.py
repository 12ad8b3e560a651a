"""Deployments that go wrong half way: uploads cut off, archives in disguise, a server that is about to stop."""

import gzip
import hashlib
import json
import signal
import socket
import threading
import time

import pytest
from deploying import Node, app_of, change
from wat import guest

from support import App

MANIFEST = b'[app]\nname = "shop"\n'


@pytest.fixture
def node(tmp_path):
    with Node(tmp_path / "state", ["--shards", "1"]) as node:
        assert node.ask("POST", "/tenants", json={"name": "shop"}).status_code == 201
        yield node
        assert node.server.stop() == 0


def digest_of(content):
    return hashlib.sha256(content).hexdigest()


def deploy(node, files):
    listed = [{"path": path, "size": len(text), "sha256": digest_of(text)} for path, text in files.items()]
    return node.ask("POST", "/tenants/shop/apps/shop/versions", json={"files": listed})


def cut_off(node, method, path, head, begun):
    """Says how long the body is, or that it comes in chunks, sends the beginning, and goes."""
    with socket.create_connection(("127.0.0.1", node.server.admin_port), timeout=10) as connection:
        lines = [f"{method} /v1{path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {node.token}", head, "", ""]
        connection.sendall("\r\n".join(lines).encode() + begun)


@pytest.mark.parametrize("head", ["Content-Length: {}", "Transfer-Encoding: chunked"])
def test_of_an_upload_that_is_cut_off_nothing_is_kept(node, head):
    part = f"/tenants/shop/parts/{digest_of(MANIFEST)}"
    chunk = b"" if "Length" in head else b"%x\r\n" % len(MANIFEST)
    for length in (0, 1, len(MANIFEST) - 1, len(MANIFEST)):  # in chunks all of it came, and no end
        if "Length" in head and length == len(MANIFEST):
            continue
        cut_off(node, "PUT", part, head.format(len(MANIFEST)), chunk + MANIFEST[:length])
    whole = json.dumps({"files": []}).encode()
    cut_off(node, "POST", "/tenants/shop/apps/shop/versions", head.format(len(whole)), chunk + whole[:5])
    assert deploy(node, {"carrel.toml": MANIFEST}).json()["missing"] == [digest_of(MANIFEST)]
    assert node.ask("PUT", part, data=MANIFEST).status_code == 204
    assert deploy(node, {"carrel.toml": MANIFEST}).status_code == 201


def test_what_is_uploaded_is_never_unpacked(node):
    """A gigabyte of nothing in a megabyte is a megabyte."""
    bomb = gzip.compress(bytes(512 << 20), compresslevel=1)[: 1 << 20]
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/gzip"}
    assert node.ask("PUT", f"/tenants/shop/parts/{digest_of(bomb)}", data=bomb, headers=headers).status_code == 204
    small = gzip.compress(MANIFEST)
    unpacked = node.ask("PUT", f"/tenants/shop/parts/{digest_of(MANIFEST)}", data=small, headers=headers)
    assert unpacked.status_code == 400
    assert deploy(node, {"carrel.toml": MANIFEST}).json()["missing"] == [digest_of(MANIFEST)]


def test_a_version_that_says_it_is_endless_is_refused(node):
    for size in (-1, 65 << 20, 1 << 63, 1 << 80, 1e300, "1"):
        files = [{"path": "carrel.toml", "size": size, "sha256": digest_of(MANIFEST)}]
        answer = node.ask("POST", "/tenants/shop/apps/shop/versions", json={"files": files})
        assert answer.status_code == 400, (size, answer.text)


@pytest.mark.parametrize("pause", [0.0, 0.1, 0.3])
def test_a_deploy_while_the_server_stops_is_done_or_refused(tmp_path, pause):
    app = app_of(tmp_path / "app", "one")
    slow = App(tmp_path / "slow", "slow").wat("page", guest("slow", sleep_ms=1500)).route("GET /", "page")
    with Node(tmp_path / "state") as node:
        node.deploy(app)
        node.deploy(slow)
        answers, deployed = [], []
        asking = threading.Thread(target=lambda: answers.append(node.get("slow.localhost")))
        asking.start()
        time.sleep(0.2)
        node.server.process.send_signal(signal.SIGTERM)
        time.sleep(pause)
        change(app, "two")
        deploying = threading.Thread(target=lambda: deployed.append(node.run("deploy", app.folder)))
        deploying.start()
        asking.join()
        deploying.join()
        assert node.server.process.wait(20) == 0
        assert answers == [(200, "slow")]
    with Node(tmp_path / "state") as node:
        done = deployed[0].returncode == 0
        versions = node.run("versions", "shop").stdout.splitlines()
        if done:
            assert node.get("shop.localhost") == (200, "two")
        else:  # said to be refused, or cut off after it was made
            assert "carrel: " in deployed[0].stderr
            assert node.get("shop.localhost")[1] in ("one", "two")
        assert len(versions) in (1, 2)
        assert node.server.stop() == 0
