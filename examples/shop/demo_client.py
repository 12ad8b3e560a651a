"""What the demo asks with: a server it starts and stops, a client that prints and checks, their count; an order."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time

START_SECONDS = 240  # the components are compiled at the first start
STOP_SECONDS = 15
FORM = "application/x-www-form-urlencoded"
ORDER = b"sku=mug-stone&qty=3&name=Ada+Lovelace&email=ada%40example.com&country=GB"


class Server:
    """A carrel process; knows its port once it says where it listens."""

    def __init__(self, command, folder):
        print(f"\n$ {' '.join(map(str, command))}")
        self.process = subprocess.Popen(
            list(map(str, command)),
            cwd=folder,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.lines = []
        self.port = None
        self._listening = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if not self._listening.wait(START_SECONDS) or self.port is None:
            self.process.kill()
            sys.exit("the server did not say where it listens:\n" + "".join(self.lines))
        print(f"  listening on port {self.port}")

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)
            found = re.search(r"listening on https?://[^\s]+:(\d+)", line)
            if found and self.port is None:
                self.port = int(found.group(1))
                self._listening.set()
        self._listening.set()

    def stop(self, checks):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = "still running"
        print("\nSIGTERM")
        checks.expect("exit status after SIGTERM", status, 0)
        if status != 0:
            print("".join(self.lines[-20:]))


class Checks:
    def __init__(self):
        self.failures = []
        self.count = 0

    def expect(self, what, got, wanted):
        self.count += 1
        good = wanted(got) if callable(wanted) else got == wanted
        if not good:
            self.failures.append(what)
            shown = "" if callable(wanted) else f", expected {wanted!r}"
            print(f"  WRONG {what}: {got!r}{shown}")
        return good

    def report(self):
        """Says how they went; the exit status that means."""
        print(f"\n{self.count - len(self.failures)} of {self.count} checks passed")
        for what in self.failures:
            print(f"  wrong: {what}")
        return 1 if self.failures else 0


def shorten(body, width=110):
    text = " ".join(body.decode("utf-8", "replace").split())
    return text if len(text) <= width else text[: width - 3] + "..."


class Client:
    """Asks over one kept-alive connection, prints question and answer, checks the answer."""

    def __init__(self, port, checks):
        self.port = port
        self.checks = checks
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(
        self,
        title,
        method,
        path,
        *,
        status=200,
        type=None,
        contains=(),
        members=None,
        headers=None,
        body=None,
        chunked=False,
        answer_headers=None,
    ):
        print(f"\n{title}\n  > {method} {path}")
        if body is not None and not chunked:
            print(f"  > {shorten(body)}")
        started = time.perf_counter()
        self.connection.request(method, path, body=body, headers=headers or {}, encode_chunked=chunked)
        answer = self.connection.getresponse()
        content = answer.read()
        took = (time.perf_counter() - started) * 1000
        kind = answer.getheader("content-type", "")
        print(f"  < {answer.status} {kind} {len(content)} bytes, {took:.1f} ms")
        if content:
            print(f"  < {shorten(content)}")
        expect = self.checks.expect
        expect(f"{title}: status", answer.status, status)
        if type is not None:
            expect(f"{title}: content type", kind, type)
        for text in contains:
            expect(f"{title}: contains {text!r}", text.encode() in content, True)
        for key, value in (members or {}).items():
            expect(f"{title}: member {key}", parse(content).get(key), value)
        for name, wanted in (answer_headers or {}).items():
            expect(f"{title}: header {name}", answer.getheader(name), wanted)
        answer.content = content
        return answer

    def problem(self, title, method, path, status, **more):
        """Asks for something that must be refused with problem details (RFC 9457)."""
        return self.ask(
            title, method, path, status=status, type="application/problem+json", members={"status": status}, **more
        )


def parse(content):
    try:
        value = json.loads(content)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def raw(port, request, seconds=10):
    """Sends bytes as they are and returns all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(request)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except TimeoutError:
            pass
        return received
