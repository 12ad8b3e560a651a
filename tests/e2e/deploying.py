"""What tests of deployed apps share: a node to deploy to, and apps to deploy."""

import json
import subprocess

import requests
from wat import guest

from support import CARREL, App, Server


class Node:
    """A server without folders, its API and its command line."""

    def __init__(self, state, arguments=(), env=None):
        self.state = state
        self.server = Server(["serve", "--port", "0", "--admin", "127.0.0.1:0", "--state", state, *arguments], env=env)
        self.token = (state / "token").read_text().strip()
        self.url = f"http://127.0.0.1:{self.server.admin_port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with self.server:
            pass

    def run(self, command, *arguments):
        """carrel COMMAND ...: the finished process."""
        options = ["--server", self.url, "--token-file", self.state / "token"]
        return subprocess.run(
            [str(CARREL), command, *map(str, [*arguments, *options])], text=True, capture_output=True, timeout=60
        )

    def json(self, command, *arguments):
        done = self.run(command, *arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def deploy(self, app, *arguments):
        return self.json("deploy", app.folder, *arguments)

    def ask(self, method, path, **more):
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return requests.request(method, f"{self.url}/v1{path}", headers=headers, timeout=60, **more)

    def get(self, host, path="/", **headers):
        """(status, body) of an app's answer."""
        status, _, body = self.server.get(path, headers={"Host": host, **headers})
        return status, body.decode()


def app_of(folder, body, name="shop"):
    return App(folder, name).wat("page", guest(body)).route("GET /", "page")


def change(app, body):
    (app.folder / "page.wat").write_text(guest(body))
