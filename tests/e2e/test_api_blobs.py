"""A tenant's blobs from outside, through the /v1 API and `carrel blob`."""

import base64
import contextlib
import hashlib
import http.client
import json
import os
import subprocess

import pytest
import requests
from archive import LIMITS, MIB, pattern

from support import CARREL, App, Server


@pytest.fixture(scope="module")
def node(tmp_path_factory, guests):
    folder = tmp_path_factory.mktemp("blobs")
    app = App(folder / "app", "shop")
    app.text += 'storage = "64MiB"\n'
    app.module("archive", guests("archive"), f'{LIMITS}\ngrants = {{ blobs = ["files:rw"] }}')
    app.route("/archive", "archive")
    state = folder / "state"
    with Server(["serve", app.folder, "--port", "0", "--admin", "127.0.0.1:0", "--state", state]) as server:
        server.state = state
        server.url = f"http://127.0.0.1:{server.admin_port}/v1/tenants/shop/blobs/files"
        server.headers = {"Authorization": f"Bearer {(state / 'token').read_text().strip()}"}
        yield server
        assert server.stop() == 0, server.log


def ask(node, method, path="", **more):
    return requests.request(method, node.url + path, headers=node.headers, timeout=60, **more)


def carrel(node, *arguments, **more):
    command = [str(CARREL), "blob", *map(str, arguments), "--state", str(node.state)]
    return subprocess.run(command, capture_output=True, timeout=60, **{"input": b"", **more})


@pytest.mark.parametrize("size", [0, 1, MIB, 3 * MIB + 7])
def test_a_blob_is_put_read_listed_and_deleted(node, size):
    content = pattern(size, size)
    chunked = (content[i : i + 100_000] for i in range(0, size, 100_000))
    for data in (content, chunked):
        assert ask(node, "PUT", "/of/a%20b", data=data).status_code == 204
        answer = ask(node, "GET", "/of/a%20b")
        assert (answer.content, answer.headers["content-length"]) == (content, str(size))
    head = ask(node, "HEAD", "/of/a%20b")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(size))
    assert ask(node, "GET", "?prefix=of/").json() == {"blobs": [{"name": "of/a b", "bytes": size}]}
    assert ask(node, "DELETE", "/of/a%20b").status_code == 204
    assert ask(node, "GET", "/of/a%20b").status_code == 404
    assert ask(node, "DELETE", "/of/a%20b").status_code == 404


def test_a_function_and_the_api_see_the_same(node):
    content = pattern(2 * MIB + 1, "both")
    assert node.request("POST", "/archive?put&/blobs/files/mine", body=content)[0] == 201
    assert ask(node, "GET", "/mine").content == content
    assert ask(node, "PUT", "/mine", data=content[:MIB]).status_code == 204
    assert node.get("/archive?get&/blobs/files/mine")[2] == content[:MIB]


def test_what_may_not_be_kept_is_refused_and_leaves_what_was_there(node):
    assert ask(node, "PUT", "/small", data=b"kept").status_code == 204
    for name in ("a//b", "a%2Fb", "n" * 1025):
        assert ask(node, "PUT", f"/{name}", data=b"x").status_code == 400
    elsewhere = node.url.replace("/shop/", "/nobody/")
    assert requests.put(elsewhere + "/a", headers=node.headers, data=b"x", timeout=20).status_code == 404
    assert requests.put(node.url + "/a", data=b"x", timeout=20).status_code == 401
    announced = refusal(node, "/small", 65 * MIB)
    assert (announced["status"], announced["code"]) == (507, "quota_exceeded")
    too_large = refusal(node, "/small", (1 << 30) + 1)
    assert (too_large["status"], too_large["code"]) == (413, "body_too_large")
    unannounced = (pattern(MIB, i) for i in range(65))
    with contextlib.suppress(requests.ConnectionError):  # closed while it was still being sent
        assert ask(node, "PUT", "/small", data=unannounced).status_code == 507
    assert ask(node, "GET", "/small").content == b"kept"


def refusal(node, path, length):
    """The problem of an upload that says how long it will be, and waits."""
    connection = http.client.HTTPConnection("127.0.0.1", node.admin_port, timeout=20)
    connection.putrequest("PUT", node.url.split(str(node.admin_port), 1)[1] + path)
    for name, value in {**node.headers, "Content-Length": str(length)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    return json.loads(answer.read())


def test_a_damaged_blob_is_not_served_as_good(node):
    content = pattern(2 * MIB, "damaged")
    assert ask(node, "PUT", "/damaged", data=content).status_code == 204
    parts = node.state / "store/parts/shop"
    second = parts / hashlib.sha256(content[MIB:]).hexdigest()
    second.write_bytes(b"x" * MIB)
    with pytest.raises(requests.RequestException):
        ask(node, "GET", "/damaged")  # broken off before its length
    (parts / hashlib.sha256(content[:MIB]).hexdigest()).write_bytes(b"x" * MIB)
    assert ask(node, "GET", "/damaged").json()["code"] == "data_corrupt"
    assert ask(node, "PUT", "/damaged", data=content).status_code == 204
    assert ask(node, "GET", "/damaged").content == content


def test_the_command_reads_and_writes_blobs(node, tmp_path):
    content = pattern(2 * MIB + 3, "command")
    name = b"by/command\xff"
    shown = {"name64": base64.b64encode(name).decode()}
    put = carrel(node, "put", "shop", "files", os.fsdecode(name), "--json", input=content)
    assert json.loads(put.stdout) == {"put64": shown["name64"], "bytes": len(content)}, put.stderr
    assert carrel(node, "get", "shop", "files", os.fsdecode(name)).stdout == content
    listed = carrel(node, "list", "shop", "files", "--prefix", "by/", "--json")
    assert json.loads(listed.stdout) == {**shown, "bytes": len(content)}
    assert carrel(node, "list", "shop", "files", "--prefix", "by/").stdout == name + b"\n"
    assert carrel(node, "delete", "shop", "files", os.fsdecode(name)).returncode == 0
    for action in ("get", "delete"):
        gone = carrel(node, action, "shop", "files", os.fsdecode(name))
        assert gone.returncode == 3, gone.stderr
    assert carrel(node, "list", "shop", "files", "a").returncode == 2
    assert carrel(node, "get", "shop", "files").returncode == 2
