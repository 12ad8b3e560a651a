"""Registries for tests: Debian's docker-registry on the loopback, and one that answers as a test says."""

import base64
import hashlib
import http.client
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LOGIN = ("ann", "open sesame")
HASHED = "$2y$04$32tzwVpKiijS4WzKrFgFyubTF8j6f5SCyyIcKpKiR0jQ4ojUlpE9q"  # bcrypt of the password
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


def program():
    named = os.environ.get("CARREL_DOCKER_REGISTRY", "")
    found = named if named and Path(named).is_file() else shutil.which("docker-registry")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no docker-registry: ./dev setup")
        pytest.skip("there is no docker-registry: ./dev setup")
    return found


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def descriptor(content, media_type, **more):
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content), **more}


def image(layers, config=b"{}", config_type="application/vnd.wasm.config.v0+json"):
    """A manifest's bytes; layers are (content, media type)."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(config, config_type),
        "layers": [descriptor(content, media_type) for content, media_type in layers],
    }
    return json.dumps(document).encode()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Registry:
    """A docker-registry process. With `login=LOGIN` it wants basic authentication, with a token service its tokens."""

    def __init__(self, folder, login=None, token_service=None):
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.login = login
        config = {
            "version": "0.1",
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(folder / "registry")}},
            "http": {"addr": self.host, "secret": "a test's"},
        }
        if login:
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
            (folder / "htpasswd").write_text(f"{LOGIN[0]}:{HASHED}\n")
        if token_service:
            config["auth"] = {"token": token_service}
        file = folder / "registry.json"  # JSON is YAML
        file.write_text(json.dumps(config))
        self.log = (folder / "registry.log").open("w")
        self.process = subprocess.Popen([program(), "serve", str(file)], stdout=self.log, stderr=subprocess.STDOUT)
        self._wait(folder)

    def _wait(self, folder):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/v2/")
                connection.getresponse().read()
                return
            except OSError:
                assert self.process.poll() is None, (folder / "registry.log").read_text()
                time.sleep(0.02)
        raise AssertionError("docker-registry does not answer")

    def request(self, method, path, body=None, headers=None):
        """(status, headers, body), as the registry's own user."""
        headers = dict(headers or {})
        if self.login:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(self.login).encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def put_blob(self, name, content):
        status, headers, _ = self.request("POST", f"/v2/{name}/blobs/uploads/", body=b"")
        assert status == 202
        location = headers["location"].split(self.host, 1)[-1]
        mark = "&" if "?" in location else "?"
        status, _, body = self.request("PUT", f"{location}{mark}digest={digest_of(content)}", body=content)
        assert status == 201, body

    def put_manifest(self, name, version, content, media_type=OCI_MANIFEST):
        status, _, body = self.request("PUT", f"/v2/{name}/manifests/{version}", content, {"Content-Type": media_type})
        assert status == 201, body
        return digest_of(content)

    def put_image(self, name, version, layers, config=b"{}", config_type="application/vnd.wasm.config.v0+json"):
        """As another tool would publish it. Gives the manifest's digest."""
        for content in (config, *(content for content, _ in layers)):
            self.put_blob(name, content)
        return self.put_manifest(name, version, image(layers, config, config_type))

    def manifest(self, name, version):
        status, _, body = self.request("GET", f"/v2/{name}/manifests/{version}", headers={"Accept": OCI_MANIFEST})
        assert status == 200, body
        return json.loads(body)

    def blob(self, name, digest):
        status, _, body = self.request("GET", f"/v2/{name}/blobs/{digest}")
        assert status == 200
        return body

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


class Answering(http.server.ThreadingHTTPServer):
    """A registry that answers each path with what `answers` has for it: a function of the handler."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answers):
        super().__init__(("127.0.0.1", 0), AnsweringHandler)
        self.answers = answers
        self.seen = []  # (method, path, headers)
        self.over = threading.Event()
        self.host = f"127.0.0.1:{self.server_port}"
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def handle_error(self, *_):
        pass  # a client that has heard enough leaves

    def end(self):
        self.over.set()
        self.shutdown()
        self.server_close()
        self.thread.join()


class AnsweringHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def respond(self):
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        for beginning, behaviour in self.server.answers.items():
            if self.path.startswith(beginning):
                behaviour(self)
                return
        self.answer(404)

    do_GET = do_HEAD = do_POST = do_PUT = respond

    def log_message(self, *_):
        pass
