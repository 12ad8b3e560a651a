"""The storefront's two fronts as processes of whoever tries them: the demo and the tests."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import requests

SHOP = Path(__file__).resolve().parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def unpack_wheel(packages, folder):
    """The Python package as `pip install` leaves it: what PYTHONPATH is to say."""
    with zipfile.ZipFile(next((packages / "python").glob("*.whl"))) as wheel:
        wheel.extractall(folder)
    (folder / "carrel/_lib/carrel/carrel-compile").chmod(0o755)
    return folder


class Front:
    """A front on a port, with a database of its own in `work`. `kind`: "python" or "node". `packages`: where
    `./dev build` left them. Use as a context manager."""

    def __init__(self, kind, work, port, packages, **environment):
        self.url = f"http://127.0.0.1:{port}"
        more = {"SHOP_DB": str(work / f"{kind}.db"), "XDG_CACHE_HOME": str(work / "cache"), **environment}
        if kind == "python":
            command = [sys.executable, "-m", "uvicorn", "--app-dir", SHOP / "web-python", "--port", port,
                       "--log-level", "warning", "main:web"]  # fmt: skip
            more |= {"PYTHONPATH": str(work / "python"), "PYTHONDONTWRITEBYTECODE": "1"}
        else:
            command = ["node", SHOP / "web-node/server.js"]
            home = os.environ["CARREL_NODE_HOME"]  # where `./dev setup` put Fastify
            more |= {"NODE_PATH": f"{packages / 'node'}:{home}/node_modules", "PORT": str(port)}
        self.process = subprocess.Popen(list(map(str, command)), env={**os.environ, **more})
        end = time.monotonic() + 60
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                self.process.kill()
                raise AssertionError(f"the {kind} front did not start")
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def _answers(self):
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(self.url, timeout=20).status_code == 200

    def get(self, path):
        return requests.get(self.url + path, timeout=20)

    def post(self, path, body):
        answer = requests.post(self.url + path, json=body, timeout=20)
        return answer.status_code, answer.json()

    def stop(self):
        self.process.terminate()
        return self.process.wait(20)
