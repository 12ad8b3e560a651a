"""The bank: an app that keeps state, its server on a state folder that outlives it, and clients by hand."""

import http.client
import os
import re
import socket
import threading
import time
import urllib.parse
from pathlib import Path

from support import GUESTS, App, Server

ROUNDS = int(os.environ.get("CARREL_FAULT_ROUNDS", "0"))  # 0: the short form
ACCOUNTS = 16
GRANTS = (
    'grants = { kv = ["orders:rw", "index:rw", "accounts:rw", "hot:rw", "many:rw", "names:rw"], '
    'counters = ["stock:rw", "names:rw"], blobs = ["names:rw"], secrets = ["KEY"] }'
)
LIMITS = 'limits = { memory = "64MiB", cpu = "4s", time = "15s" }'


class Bank:
    """Apps of the same guest in one server. `storage`: each one's quota; `admin`: the API is served."""

    def __init__(self, folder, names, storage=None, env=None, options=(), admin=False):
        self.folder = Path(folder)
        self.state = self.folder / "state"
        self.admin = "127.0.0.1:0" if admin else "off"
        self.names, self.env, self.options = names, env or {}, options
        self.server = None
        for name in names:
            app = App(self.folder / name, name)
            if storage:
                app.text += f'storage = "{storage}"\n'
            app.module("bank", GUESTS / "bank.wasm", f"{LIMITS}\n{GRANTS}").route("/bank", "bank")
        self.start()

    @property
    def store(self):
        return self.state / "store"

    def arguments(self):
        return [
            "serve",
            *(self.folder / name for name in self.names),
            "--port",
            "0",
            "--admin",
            self.admin,
            "--state",
            self.state,
            *self.options,
        ]

    def start(self):
        self.server = Server(self.arguments(), env=self.env)
        return self.server

    def kill(self):
        self.server.process.kill()
        self.server.process.wait()

    def stop(self):
        assert self.server.stop() == 0, self.server.log[-4000:]

    def restart(self):
        self.stop()
        self.start()

    def end(self):
        if self.server and self.server.process.poll() is None:
            self.kill()

    def ask(self, *words, app=None, headers=None, method=None, body=None, timeout=30):
        """One command of the guest: (status, text)."""
        method = method or ("GET" if words[0] in ("cat", "list", "hold") else "POST")
        headers = {"Host": f"{app or self.names[0]}.localhost", **(headers or {})}
        status, _, reply = self.server.request(
            method, "/bank?" + "&".join(map(str, words)), headers=headers, body=body, timeout=timeout
        )
        return status, reply.decode(errors="replace")

    def call(self, method, path, body=None):
        """One request of the API, its path as it is: (status, bytes)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.admin_port, timeout=30)
        token = (self.state / "token").read_text().strip()
        connection.request(method, "/v1/tenants/" + path, body, {"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text

    def get(self, *words, **more):
        status, text = self.ask(*words, **more)
        assert status == 200, (words, status, text, self.server.log[-2000:])
        return text

    def until(self, condition, what, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := condition():
                return value
            time.sleep(0.02)
        raise AssertionError(f"{what} did not happen within {seconds} s:\n{self.server.log[-4000:]}")


class Connection:
    """A kept connection that says which reply it did not get."""

    def __init__(self, port, host):
        self.host = host
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.buffer = b""

    def ask(self, *words, headers=""):
        """(status, text); a ConnectionError or TimeoutError: nothing is known of the request."""
        query = "&".join(map(str, words))
        self.socket.sendall(
            f"POST /bank?{query} HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: 0\r\n{headers}\r\n".encode()
        )
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if length:
            size = int(length.group(1))
            while len(self.buffer) < size:
                self._more()
            text, self.buffer = self.buffer[:size], self.buffer[size:]
        else:
            text = self._chunks()
        return status, text.decode(errors="replace")

    def _chunks(self):
        text = b""
        while True:
            while b"\r\n" not in self.buffer:
                self._more()
            line, _, self.buffer = self.buffer.partition(b"\r\n")
            size = int(line, 16)
            while len(self.buffer) < size + 2:
                self._more()
            text += self.buffer[:size]
            self.buffer = self.buffer[size + 2 :]
            if size == 0:
                return text

    def _more(self):
        chunk = self.socket.recv(65536)
        if not chunk:
            raise ConnectionError("closed")
        self.buffer += chunk

    def close(self):
        self.socket.close()


class Load:
    """Many connections that order, each order with a number of its own, until the server is gone or `stop`."""

    def __init__(self, bank, round_name, connections=32):
        self.bank, self.round = bank, round_name
        self.sent, self.done, self.refused = set(), set(), {}
        self.lock = threading.Lock()
        self.next = 0
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self._run) for _ in range(connections)]
        for thread in self.threads:
            thread.start()

    def _run(self):
        host = f"{self.bank.names[0]}.localhost"
        try:
            connection = Connection(self.bank.server.port, host)
            while not self.stopped.is_set():
                with self.lock:
                    n = self.next
                    self.next += 1
                    self.sent.add(n)
                status, text = connection.ask("order", self.round, n)
                with self.lock:
                    if status == 200:
                        self.done.add(n)
                    else:
                        self.refused.setdefault((status, code_of(text)), set()).add(n)
                if status != 200:
                    time.sleep(0.01)
        except (ConnectionError, TimeoutError, OSError):
            pass

    def wait(self):
        for thread in self.threads:
            thread.join()

    def stop(self):
        self.stopped.set()
        self.wait()


def code_of(text):
    found = re.search(r'"code": ?"(\w+)"', text)
    return found.group(1) if found else None


class Ledger:
    """What the bank must hold, by what its clients were told."""

    def __init__(self, bank, stock):
        self.stock, self.kept = stock, {}
        bank.get("write", "/counters/stock/left", f"+{stock}")

    def check(self, bank, *loads):
        """Every turn wholly there or wholly absent; the acknowledged ones there."""
        for load in loads:
            orders = {int(name) for name in bank.get("list", f"/kv/orders/{load.round}").split()}
            index = {int(name) for name in bank.get("list", f"/kv/index/{load.round}").split()}
            assert orders == index, f"torn turns: {sorted(orders ^ index)[:10]}"
            assert load.done <= orders, f"lost although acknowledged: {sorted(load.done - orders)[:10]}"
            assert orders <= load.sent
            for (status, code), refused in load.refused.items():
                if code != "commit_unknown":
                    assert not refused & orders, f"kept although refused with {status} {code}"
            self.kept[load.round] = orders
        everything = [n for orders in self.kept.values() for n in orders]
        left = int(bank.get("cat", "/counters/stock/left"))
        assert left >= 0
        assert left == self.stock - len(everything)
        wanted = [0] * ACCOUNTS
        for n in everything:
            wanted[n % ACCOUNTS] -= n
            wanted[(n // ACCOUNTS + n + 1) % ACCOUNTS] += n
        found = [balance(bank.get("cat", f"/kv/accounts/{i}")) for i in range(ACCOUNTS)]
        assert sum(found) == 0
        assert found == wanted


class Told:
    """Orders sent one by one, and what was told of each: as a Load to a Ledger."""

    def __init__(self, round_name):
        self.round = round_name
        self.sent, self.done, self.refused = set(), set(), {}

    def order(self, bank, n):
        """Whether it was acknowledged."""
        self.sent.add(n)
        status, text = bank.ask("order", self.round, n)
        if status == 200:
            self.done.add(n)
        else:
            self.refused.setdefault((status, code_of(text)), set()).add(n)
        return status == 200


def balance(text):
    return 0 if text.startswith("errno") else int(text)


def quoted(name):
    return urllib.parse.quote(name, safe="")
