"""The demo's last chapter: unchanged modules of wagi, a server as an operator starts it, and no server at all."""

import http.client
import os
import re
import ssl
import subprocess
from pathlib import Path

from demo_client import FORM, ORDER, Client, Server, parse, shorten


def wagi(carrel, folder, checks):
    server = Server([carrel, "serve", "--modules", "modules.toml", "--port", "0"], folder)
    client = Client(server.port, checks)
    try:
        client.ask(
            "The price, by wagi's rules", "GET", "/price/sharpener?qty=2", members={"quantity": 2, "gross_cents": 3546}
        )
        client.ask(
            "The order form",
            "POST",
            "/order",
            status=201,
            body=ORDER,
            headers={"Content-Type": FORM},
            members={"net_cents": 5070},
        )
        client.ask("The page", "GET", "/", contains=["Field Guide"])
        client.ask("wagi's own route", "GET", "/healthz", contains=["OK"])
    finally:
        server.stop(checks)


def operating(carrel, folder, checks):
    """HTTPS, the API and the logs: one server, as an operator starts it."""
    certificate, key = folder.parent / "certificate.pem", folder.parent / "key.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            key,
            "-out",
            certificate,
        ],
        check=True,
        capture_output=True,
    )
    state, requests = Path(os.environ["CARREL_STATE"]), folder.parent / "access.log"
    server = Server(
        [
            carrel,
            "serve",
            folder,
            "--port",
            "0",
            "--admin",
            "127.0.0.1:0",
            "--state",
            state,
            "--tls-cert",
            certificate,
            "--tls-key",
            key,
            "--access-log",
            requests,
        ],
        folder,
    )
    try:
        client = Client(server.port, checks)
        client.connection = http.client.HTTPSConnection(
            "localhost", server.port, timeout=30, context=ssl.create_default_context(cafile=certificate)
        )
        client.ask("A price over HTTPS", "GET", "/price/mug-stone", members={"sku": "mug-stone"})
        api = Client(int(re.search(r"admin API at http://[^\s]+:(\d+)", "".join(server.lines)).group(1)), checks)
        api.problem("The API without its token", "GET", "/v1/apps", 401)
        token = (state / "token").read_text().strip()
        api.ask(
            "The API with it",
            "GET",
            "/v1/status",
            headers={"Authorization": f"Bearer {token}"},
            members={"state": "ready", "apps": ["shop"]},
        )
    finally:
        server.stop(checks)
    line = requests.read_text().splitlines()[0]
    print(f"\nA line of the access log\n  {shorten(line.encode())}")
    checks.expect("access log", parse(line.encode()).get("path"), "/price/mug-stone")


def shell(carrel, folder, checks):
    """The same modules from the shell, without a server."""
    commands = [
        ("One turn, with what it cost", ["invoke", ".", "--path", "/price/mug-stone"], '"sku":"mug-stone"'),
        (
            "A module as a program",
            [
                "run",
                "--dir",
                "assets::/assets:ro",
                "--env",
                "REQUEST_METHOD=GET",
                "--env",
                "PATH_INFO=/mug-stone",
                "--stats",
                "build/price.wasm",
            ],
            '"sku":"mug-stone"',
        ),
        ("What a file is", ["inspect", "build/price.wasm"], "can run    yes"),
        ("The cases in tests/", ["test", "."], " passed, 0 failed"),
        ("Is this machine fit?", ["doctor"], "ok       openat2"),
    ]
    for title, command, wanted in commands:
        print(f"\n{title}\n$ carrel {' '.join(command)}")
        done = subprocess.run(
            [carrel, *command], cwd=folder, text=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL
        )
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        for line in lines[:4] + (["..."] if len(lines) > 6 else []) + lines[4:][-2:]:
            print(f"  {shorten(line.encode())}")
        checks.expect(f"{title}: exit status", done.returncode, 0)
        checks.expect(f"{title}: output", wanted in done.stdout, True)
