"""What end-to-end tests share: a carrel process, an app made on the spot, raw HTTP."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(os.environ.get("CARREL_ROOT", Path(__file__).resolve().parents[2]))
CARREL = Path(os.environ.get("CARREL", ROOT / "build/release/bin/carrel"))
GUESTS = Path(os.environ.get("CARREL_GUESTS", ROOT / "build/guests"))


class Server:
    """A carrel process that listens; knows its ports once it says them. Use as a context manager."""

    def __init__(self, arguments, cwd=None, start_seconds=60, env=None):
        self.lines = []
        self.port = None
        self.admin_port = None
        self._ready = threading.Event()
        self.process = subprocess.Popen(
            [str(CARREL), *map(str, arguments)],
            cwd=cwd,
            text=True,
            errors="replace",
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        threading.Thread(target=self._read, daemon=True).start()
        if not self._ready.wait(start_seconds) or self.port is None:
            self.process.kill()
            self.process.wait()
            raise AssertionError("carrel did not start:\n" + "".join(self.lines))

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)
            if admin := re.search(r"admin API at https?://\S+?:(\d+)", line):
                self.admin_port = int(admin.group(1))
            found = re.search(r"listening on https?://\S+?:(\d+)", line)
            if found and self.port is None:
                self.port = int(found.group(1))
                self._ready.set()
        self._ready.set()

    @property
    def log(self):
        return "".join(self.lines)

    def request(self, method, path, body=None, headers=None, timeout=30):
        """One request on a connection of its own: (status, headers, body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            try:
                connection.request(method, path, body=body, headers=headers or {})
                answer = connection.getresponse()
            except BrokenPipeError:  # it answered before it had the whole body
                answer = http.client.HTTPResponse(connection.sock, method=method)
                answer.begin()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def problem(self, method, path, **more):
        """The problem details of a refusal: (status, members)."""
        status, headers, body = self.request(method, path, **more)
        kind = {name.lower(): value for name, value in headers.items()}.get("content-type", "")
        assert kind == "application/problem+json", (status, kind, body)
        return status, json.loads(body)

    def raw(self, data, seconds=10, shut=False):
        """Sends bytes as they are; all that comes back until the server closes or the time is over."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            received = b""
            try:
                connection.sendall(data)
                if shut:
                    connection.shutdown(socket.SHUT_WR)
                while chunk := connection.recv(65536):
                    received += chunk
            except (TimeoutError, ConnectionError):
                pass
            return received

    def stop(self, seconds=20):
        """SIGTERM and wait: the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("carrel did not stop:\n" + self.log[-4000:]) from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class App:
    """An app folder with a carrel.toml made of modules and routes."""

    def __init__(self, folder, name="test"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.text = f'[app]\nname = "{name}"\n'
        self.write()

    def module(self, name, source, more=""):
        """`source`: a name in the folder, or the path of a file to copy into it."""
        if isinstance(source, Path):
            shutil.copy(source, self.folder)
            source = source.name
        self.text += f'\n[module.{name}]\nsource = "{source}"\n{more}\n'
        self.write()
        return self

    def wat(self, name, text, more=""):
        (self.folder / f"{name}.wat").write_text(text)
        return self.module(name, f"{name}.wat", more)

    def route(self, route, module):
        self.text += f'\n[[function]]\nroute = "{route}"\nmodule = "{module}"\n'
        self.write()
        return self

    def write(self):
        (self.folder / "carrel.toml").write_text(self.text)


@contextlib.contextmanager
def serving(server):
    """An http.server of the test's own, on a thread until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def chunks_of(stream, trailers=None):
    """The pieces of a chunked body as they come; one that breaks off is a ConnectionError. Fills `trailers`."""
    while True:
        line = stream.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionResetError(line)
        size = int(line, 16)
        if size == 0:
            break
        piece = stream.read(size)
        if stream.readline() != b"\r\n":
            raise ConnectionResetError(piece)
        yield piece
    while (line := stream.readline()) != b"\r\n":
        if not line.endswith(b"\r\n"):
            raise ConnectionResetError(line)
        if trailers is not None:
            name, value = line.decode().split(":", 1)
            trailers[name.lower()] = value.strip()


def probe_app(folder, name="probe", limits='memory = "64MiB", cpu = "300ms", time = "8s"'):
    """Every route leads to the C probe: GET /?SUBCOMMAND&ARGUMENT..."""
    app = App(folder, name)
    app.module("probe", GUESTS / "probe.wasm", f"limits = {{ {limits} }}")
    return app.route("/probe", "probe")


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)
    return found
