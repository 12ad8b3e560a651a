"""The archive: an app that keeps blobs, its server on a state folder that outlives it."""

import hashlib
import random
import re
import subprocess
from pathlib import Path

from support import CARREL, GUESTS, App, Server

MIB = 1 << 20
LIMITS = 'limits = { memory = "8MiB", cpu = "10s", time = "60s" }'


def pattern(size, seed):
    return random.Random(seed).randbytes(size)


class Archive:
    """Apps of the same guest in one server: `/archive` may write, `/reader` may not, and so streams."""

    def __init__(self, folder, names=("archive",), storage=None, env=None):
        self.folder, self.names, self.env = Path(folder), names, env
        self.state = self.folder / "state"
        self.server = None
        for name in names:
            app = App(self.folder / name, name)
            if storage:
                app.text += f'storage = "{storage}"\n'
            for module, right in (("archive", "rw"), ("reader", "r")):
                app.module(module, GUESTS / "archive.wasm", f'{LIMITS}\ngrants = {{ blobs = ["files:{right}"] }}')
                app.route(f"/{module}", module)
        self.start()

    def start(self):
        arguments = ["serve", *(self.folder / name for name in self.names), "--port", "0", "--admin", "off"]
        self.server = Server([*arguments, "--state", self.state], env=self.env)

    def kill(self):
        self.server.process.kill()
        self.server.process.wait()

    def restart(self):
        assert self.server.stop() == 0, self.server.log[-4000:]
        self.start()

    def ask(self, command, name, body=None, app=None, route="archive", **more):
        """(status, body)"""
        status, _, reply = self.server.request(
            "GET" if body is None else "POST",
            f"/{route}?{command}&/blobs/files/{name}",
            body=body,
            headers={"Host": f"{app or self.names[0]}.localhost"},
            timeout=60,
            **more,
        )
        return status, reply

    def put(self, name, body, **more):
        status, reply = self.ask("put", name, body, **more)
        assert status == 201, (status, reply, self.server.log[-2000:])

    def get(self, name, **more):
        status, reply = self.ask("get", name, **more)
        return reply if status == 200 else status

    def resident(self, what="VmRSS"):
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(re.search(rf"{what}:\s+(\d+) kB", status).group(1)) << 10

    def part(self, content, app=None):
        """The file of a blob's part."""
        return self.state / "store/parts" / (app or self.names[0]) / hashlib.sha256(content).hexdigest()

    def check(self):
        return subprocess.run(
            [CARREL, "store", "check", "--state", self.state], capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
