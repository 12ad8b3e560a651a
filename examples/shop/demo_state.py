"""The demo's second chapter: what the shop keeps, over restarts and crowds, and whom it calls."""

import http.client
import os
import subprocess
import threading

import rates
from demo_client import Client, Server


def state(carrel, folder, checks):
    """Carts, stock and orders: what one turn changes is kept wholly or not at all, here over a restart."""
    kept = os.environ["CARREL_STATE"]
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
        client.ask("Two mugs into a cart (Python, a component)", "PUT", "/cart/ada/mug-stone?qty=2", status=204)
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
        client.ask(
            "A sum in dollars, by a service's rate (JavaScript, a component)", "GET", path, members={"cents": 2160}
        )
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
