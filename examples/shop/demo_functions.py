"""The demo's first chapter: the shop under `carrel dev`, its functions, what HTTP can do to them, and live reload."""

import http.client
import re
import socket
import threading
import time

from demo_client import FORM, ORDER, Client, Server, parse, raw


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
