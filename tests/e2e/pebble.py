"""Pebble, an ACME server for tests, on the loopback."""

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest


def program():
    named = os.environ.get("CARREL_PEBBLE", "")
    found = named if named and Path(named).is_file() else shutil.which("pebble")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no Pebble: ./dev setup")
        pytest.skip("there is no Pebble: ./dev setup")
    return found


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Pebble:
    """Asks for challenges at `http_port`, and `dns` for names. Certificates are good for `seconds`."""

    def __init__(self, folder, dns, http_port, seconds=3600, bad_nonces=0, blocked=()):
        folder.mkdir()
        self.ca_file = folder / "tls.pem"
        self.log_file = folder / "log"
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        names = ["-subj", "/CN=pebble", "-addext", "subjectAltName=IP:127.0.0.1"]
        files = ["-keyout", folder / "tls.key", "-out", self.ca_file]
        subprocess.run(["openssl", "req", "-x509", *curve, *names, *files], check=True, capture_output=True)
        self.port, self.management = free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.port}/dir"
        options = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(self.ca_file),
            "privateKey": str(folder / "tls.key"),
            "httpPort": http_port,
            "tlsPort": free_port(),
            "domainBlocklist": list(blocked),
            "retryAfter": {"authz": 1, "order": 1},
            "profiles": {"default": {"description": "for tests", "validityPeriod": seconds}},
        }
        config = folder / "pebble.json"
        config.write_text(json.dumps({"pebble": options}))
        environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": str(bad_nonces)}
        with self.log_file.open("w") as log:
            self.process = subprocess.Popen(
                [program(), "-config", config, "-dnsserver", dns.address, "-strict"],
                stdout=log,
                stderr=log,
                env=environment,
            )
        self.wait()

    def wait(self):
        end = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            assert self.process.poll() is None and time.monotonic() < end, self.log
            time.sleep(0.05)

    @property
    def log(self):
        return self.log_file.read_text()

    @property
    def root(self):
        """The certificate of who signs, in PEM."""
        trust = ssl.create_default_context(cafile=self.ca_file)
        with urllib.request.urlopen(
            f"https://127.0.0.1:{self.management}/roots/0", context=trust, timeout=10
        ) as answer:
            return answer.read().decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
