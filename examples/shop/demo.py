#!/usr/bin/env python3
"""Starts the shop, asks it things, shows what came back, and checks every answer.

    examples/shop/demo.py --carrel build/release/carrel

Works on a temporary copy of the app, because one part edits it while it is served. The exit status
is 0 only if every answer was the expected one and the server stopped cleanly.
"""

import argparse
import http.client
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import rates
from demo_client import Checks, Client, Server, parse, raw, shorten

APP = Path(__file__).resolve().parent
FORM = "application/x-www-form-urlencoded"
ORDER = b"sku=mug-stone&qty=3&name=Ada+Lovelace&email=ada%40example.com&country=GB"


def functions(client):
    client.ask(
        "The page (Zig)",
        "GET",
        "/",
        type="text/html; charset=utf-8",
        contains=["<title>Carrel Desk Supplies</title>", 'action="/order"'],
    )
    client.ask(
        "A price with discount and tax (Rust)",
        "GET",
        "/price/book-wasm?country=DE&qty=5",
        type="application/json",
        members={"gross_cents": 17903, "tax_basis_points": 700},
    )
    client.ask(
        "The same for a French business",
        "GET",
        "/price/mat-felt?country=FR&vat_id=FR834",
        members={"tax_cents": 0, "gross": "44.90 EUR"},
    )
    client.ask(
        "A ranked search that forgives a typing error (Go)",
        "GET",
        "/search?q=notebok&limit=2",
        members={"total": 3, "categories": {"paper": 3}},
    )
    client.ask(
        "A chart (AssemblyScript)",
        "GET",
        "/chart/sales.svg",
        type="image/svg+xml",
        contains=["<svg ", "books, 2025-01: €4125", "</svg>"],
    )
    client.ask(
        "An order from a form (C)",
        "POST",
        "/order",
        status=201,
        body=ORDER,
        headers={"Content-Type": FORM},
        members={"quantity": 3, "net_cents": 5070},
    )
    client.ask(
        "The same order from a browser",
        "POST",
        "/order",
        status=201,
        body=ORDER,
        headers={"Content-Type": FORM, "Accept": "text/html"},
        type="text/html; charset=utf-8",
        contains=["Thank you for your order"],
    )
    body = '{"sku": "book-wasm", "qty": 2, "name": "Grace", "email": "g@example.com", "country": "US"}'
    client.ask(
        "An order as JSON, sent in chunks",
        "POST",
        "/order",
        status=201,
        chunked=True,
        body=iter([body[:20].encode(), body[20:].encode()]),
        headers={"Content-Type": "application/json", "Transfer-Encoding": "chunked"},
        members={"quantity": 2, "customer": "Grace"},
    )


def refusals(client):
    client.problem(
        "An order with faults",
        "POST",
        "/order",
        422,
        body=b"sku=pot-glass&qty=3&name=",
        headers={"Content-Type": FORM},
        contains=["is sold out", '"field":"email"'],
    )
    client.problem(
        "A body that the function finds too long",
        "POST",
        "/order",
        413,
        body=b"x" * 200_000,
        headers={"Content-Type": FORM},
    )
    # A server may close after a body that nobody read to its end.
    client.connection.close()
    client.problem("A product that the shop does not have", "GET", "/price/boat", 404)
    client.problem("A path that no function has", "GET", "/no/such/page", 404)
    client.problem(
        "A method that the route does not take",
        "DELETE",
        "/search",
        405,
        answer_headers={"Allow": lambda value: value is not None and "GET" in value},
    )


def protocol(client, checks):
    answer = client.ask("HEAD: the headers of GET, without the body", "HEAD", "/chart/sales.svg", type="image/svg+xml")
    checks.expect("HEAD: body", answer.content, b"")
    answer = client.ask(
        "A static file",
        "GET",
        "/static/shop.css",
        contains=["--paper"],
        answer_headers={"ETag": lambda value: bool(value)},
    )
    checks.expect(
        "static: content type", answer.getheader("content-type", ""), lambda value: value.startswith("text/css")
    )
    answer = client.ask(
        "The same with its ETag: not sent again",
        "GET",
        "/static/shop.css",
        status=304,
        headers={"If-None-Match": answer.getheader("ETag") or ""},
    )
    checks.expect("304: body", answer.content, b"")
    client.ask("An image", "GET", "/static/lamp.svg", type="image/svg+xml")
    client.problem(
        "A way out of the folder of static files",
        "GET",
        "/static/%2e%2e/carrel.toml",
        lambda value: value in (400, 404),
    )

    print("\nTwo hundred requests on one connection")
    before = client.connection.sock
    started = time.perf_counter()
    good = 0
    for _ in range(200):
        client.connection.request("GET", "/price/mug-stone")
        answer = client.connection.getresponse()
        good += answer.status == 200 and parse(answer.read()).get("sku") == "mug-stone"
    took = (time.perf_counter() - started) * 1000
    print(f"  < {good} answers of 200, a fresh instance each, {took / 200:.2f} ms a request")
    checks.expect("keep-alive: answers", good, 200)
    checks.expect("keep-alive: same connection", client.connection.sock is before, True)

    print("\nThree requests sent at once (pipelining)")
    one = "GET /price/{} HTTP/1.1\r\nHost: shop\r\n{}\r\n"
    text = raw(
        client.port,
        "".join(
            [one.format("mug-stone", ""), one.format("sharpener", ""), one.format("tea-assam", "Connection: close\r\n")]
        ).encode(),
    )
    found = re.findall(rb'"sku":"([a-z-]+)"', text)
    print(f"  < {b', '.join(found).decode()}")
    checks.expect("pipelining: order", found, [b"mug-stone", b"sharpener", b"tea-assam"])

    print("\nExpect: 100-continue")
    head = (
        b"POST /order HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nExpect: 100-continue\r\n"
        b"Content-Type: " + FORM.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(ORDER)
    )
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as connection:
        connection.sendall(head)
        text = connection.recv(65536)
        connection.sendall(ORDER)
        while chunk := connection.recv(65536):
            text += chunk
    lines = [line for line in text.split(b"\r\n") if line.startswith(b"HTTP/1.1")]
    print(f"  < {b', '.join(lines).decode()}")
    checks.expect("100-continue: statuses", [line.split()[1] for line in lines], [b"100", b"201"])

    print("\nA request with two lengths (smuggling)")
    text = raw(
        client.port,
        b"POST /order HTTP/1.1\r\nHost: shop\r\nContent-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: shop\r\n\r\n",
    )
    print(f"  < {text.split(bytes([13, 10]))[0].decode()}, then closed")
    checks.expect("smuggling: refused", text.startswith(b"HTTP/1.1 400"), True)
    checks.expect("smuggling: one answer", text.count(b"HTTP/1.1 "), 1)


def misbehaviour(client, checks):
    answer = client.problem("A function that traps", "GET", "/misbehave/trap", 502)
    checks.expect("trap: nothing of its log", b"till" in answer.content, False)

    slowest = []

    def others():
        other = http.client.HTTPConnection("127.0.0.1", client.port, timeout=30)
        while not done.is_set():
            started = time.perf_counter()
            other.request("GET", "/price/mug-stone")
            if other.getresponse().read():
                slowest.append((time.perf_counter() - started) * 1000)

    done = threading.Event()
    thread = threading.Thread(target=others)
    thread.start()
    client.problem("A function that loops for ever", "GET", "/misbehave/loop", 504)
    done.set()
    thread.join()
    print(f"  meanwhile {len(slowest)} prices were answered, the slowest in {max(slowest):.1f} ms")
    checks.expect("loop: others are served", len(slowest) > 10 and max(slowest) < 500, True)


def reload(client, folder, checks):
    print("\nLive reload: the shop's name is changed in carrel.toml")
    manifest = folder / "carrel.toml"
    before = manifest.read_text()
    manifest.write_text(before.replace("Carrel Desk Supplies", "The Quiet Desk"))
    changed = time.perf_counter()
    while time.perf_counter() - changed < 5:
        client.connection.request("GET", "/")
        if b"<title>The Quiet Desk</title>" in client.connection.getresponse().read():
            break
        time.sleep(0.02)
    seconds = time.perf_counter() - changed
    print(f"  the page shows it after {seconds * 1000:.0f} ms")
    checks.expect("live reload within a second", seconds < 1.0, True)
    manifest.write_text(before)


def dev(carrel, folder, checks):
    server = Server([carrel, "dev", folder, "--port", "0"], folder)
    client = Client(server.port, checks)
    try:
        functions(client)
        refusals(client)
        protocol(client, checks)
        misbehaviour(client, checks)
        reload(client, folder, checks)
        log = "".join(server.lines)
        checks.expect("the trap's words are in the log", "the till is on fire" in log, True)
    finally:
        server.stop(checks)


def state(carrel, folder, checks):
    """Carts, stock and orders: what one turn changes is kept wholly or not at all, here over a restart."""
    kept = folder.parent / "state-of-the-shop"
    command = [carrel, "serve", folder, "--port", "0", "--admin", "127.0.0.1:0", "--state", kept]
    server = Server(command, folder)
    try:
        client = Client(server.port, checks)
        client.problem("A delivery before the shop has a key for it", "POST", "/stock/mug-stone?add=10", 503)
        set_key = [carrel, "secret", "set", "shop", "STOCK_KEY", "--state", kept]
        done = subprocess.run(set_key, input=b"open sesame\n", check=False)
        checks.expect("the key is set from the command line", done.returncode, 0)
        client.problem(
            "A delivery with a wrong key", "POST", "/stock/mug-stone?add=10", 403, headers={"X-Stock-Key": "sesame"}
        )
        client.ask("A delivery", "POST", "/stock/mug-stone?add=10", status=204, headers={"X-Stock-Key": "open sesame"})
        client.ask("Two mugs into a cart", "PUT", "/cart/ada/mug-stone?qty=2", status=204)
        client.ask("A lamp that the shop does not have", "PUT", "/cart/ada/lamp-brass?qty=1", status=204)
        client.problem("An order that cannot be met", "POST", "/cart/ada/checkout", 409, contains=["has run out"])
        client.ask("Nothing of it happened", "GET", "/stock/mug-stone", members={"left": 10})
        client.ask("The lamp back on the shelf", "PUT", "/cart/ada/lamp-brass?qty=0", status=204)
        once = {"Idempotency-Key": "ada-1"}
        first = client.ask("The order", "POST", "/cart/ada/checkout", status=201, headers=once)
        again = client.ask("The same order, sent again", "POST", "/cart/ada/checkout", status=201, headers=once)
        checks.expect("sent again: the same answer", again.content, first.content)
        client.ask("The cart is empty", "GET", "/cart/ada", contains=["[]"])
        client.ask("Two mugs are gone, not four", "GET", "/stock/mug-stone", members={"left": 8})
        many_at_once(client, checks)
    finally:
        server.stop(checks)
    server = Server(command, folder)
    try:
        client = Client(server.port, checks)
        client.ask("After a restart: sold out", "GET", "/stock/mug-stone", members={"left": 0})
    finally:
        server.stop(checks)


def exchange(carrel, folder, checks):
    """A call to the outside, and what becomes of it when nobody is there."""
    service = rates.service()
    threading.Thread(target=service.serve_forever, daemon=True).start()
    manifest = folder / "carrel.toml"
    before = manifest.read_text()
    manifest.write_text(before.replace("127.0.0.1:8090", f"127.0.0.1:{service.server_port}"))
    server = Server([carrel, "dev", folder, "--port", "0", "--allow-egress", "127.0.0.1"], folder)
    client = Client(server.port, checks)
    path = "/exchange/USD?cents=1990"
    try:
        client.ask("A sum in dollars, by the rate of a service", "GET", path, members={"cents": 2160})
        client.problem("A currency that it does not know", "GET", "/exchange/XYZ?cents=1", 404)
        service.shutdown()
        service.server_close()
        client.problem(
            "The rates service is down", "GET", path, 503, answer_headers={"Retry-After": lambda value: value == "10"}
        )
        client.ask("Meanwhile the shop is open", "GET", "/price/mug-stone", members={"sku": "mug-stone"})
    finally:
        server.stop(checks)
        manifest.write_text(before)


def many_at_once(client, checks):
    """Twenty customers for the last eight mugs."""
    print("\nTwenty customers order one of the last eight mugs, all at once")
    statuses = []

    def order(number):
        own = http.client.HTTPConnection("127.0.0.1", client.port, timeout=30)
        for method, path in (("PUT", f"/cart/c{number}/mug-stone?qty=1"), ("POST", f"/cart/c{number}/checkout")):
            own.request(method, path)
            answer = own.getresponse()
            answer.read()
        statuses.append(answer.status)

    customers = [threading.Thread(target=order, args=(number,)) for number in range(20)]
    for customer in customers:
        customer.start()
    for customer in customers:
        customer.join()
    print(f"  < {statuses.count(201)} orders, {statuses.count(409)} refusals")
    checks.expect("at once: orders", (statuses.count(201), statuses.count(409)), (8, 12))
    client.ask("The stock stops at zero", "GET", "/stock/mug-stone", members={"left": 0})


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
    state, requests = folder.parent / "state", folder.parent / "access.log"
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


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--carrel", required=True, type=Path, help="the carrel program")
    carrel = arguments.parse_args().carrel.resolve()
    modules = ("home", "price", "search", "order", "chart", "cart", "stock", "exchange")
    missing = [name for name in modules if not (APP / "build" / f"{name}.wasm").is_file()]
    if missing:
        sys.exit(f"not built: {', '.join(missing)}; run ./dev build, or build.sh in each folder")

    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="carrel-shop-") as temporary:
        folder = Path(temporary) / "shop"
        keep_out = shutil.ignore_patterns("target", "*.py")
        shutil.copytree(APP, folder, ignore=keep_out)
        dev(carrel, folder, checks)
        state(carrel, folder, checks)
        exchange(carrel, folder, checks)
        wagi(carrel, folder, checks)
        operating(carrel, folder, checks)
        shell(carrel, folder, checks)
    print(f"\n{checks.count - len(checks.failures)} of {checks.count} checks passed")
    for what in checks.failures:
        print(f"  wrong: {what}")
    return 1 if checks.failures else 0


if __name__ == "__main__":
    sys.exit(main())
