#!/usr/bin/env python3
"""Opens the storefront in Python and in Node, buys things, and checks what customers' modules made of it.

    examples/storefront/demo.py --carrel build/release/bin/carrel

Orders go to a server that tells a module and a WebHook of them. The exit status is 0 only if every answer was the
expected one.
"""

import argparse
import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(EXAMPLES / "shop"))

from demo_client import Checks, Server  # noqa: E402
from front import SHOP, Front, free_port, unpack_wheel  # noqa: E402

KEY = "whsec_" + base64.b64encode(b"demo" * 8).decode()


class Story:
    """What is asked of one front, and of the server behind it."""

    def __init__(self, kind, front, checks, points):
        self.kind, self.front, self.checks, self.points = kind, front, checks, points

    def expect(self, what, got, wanted):
        good = self.checks.expect(f"{self.kind}: {what}", got, wanted)
        print(f"  {'ok' if good else '!!'}  {what}")

    def post(self, path, customer, quantity=2):
        items = [{"sku": "lamp-brass", "quantity": quantity}]
        return self.front.post(path, {"customer": customer, "country": "DE", "items": items})

    def tell(self):
        print(f"\nThe front in {self.kind}, {self.front.url}")
        quote = self.post("/quote", "ada")[1]
        self.expect("shipping is what a module in Go offers", [each["id"] for each in quote["shipping"]],
                    ["parcel", "courier"])  # fmt: skip
        self.expect("the tax is the shop's own rule, in Rust", quote["tax_cents"], round(2 * 6900 * 0.19))
        self.expect("who is new has no discount", quote["discounts"], [])
        total = [self.post("/orders", "ada")[1]["total_cents"] for _ in range(3)]
        quote = self.post("/quote", "ada")[1]
        self.expect("who comes back has one, from a module that asks the shop",
                    [each["label"] for each in quote["discounts"]], ["Thank you for coming back"])  # fmt: skip
        self.expect("too many of one thing are refused by a component", self.post("/orders", "greedy", 6),
                    (422, {"reasons": ["at most 5 of each"]}))  # fmt: skip
        page = self.front.get("/products/lamp-brass").text
        self.expect("the product page has a customer's part", "I would buy it again." in page, True)
        self.expect("and not its script", "<script" in page, False)
        self.expect("a module counts points for each order, once", self.points("ada"),
                    str(sum(cents // 100 for cents in total)))  # fmt: skip
        self.expect("a WebHook has heard of each order", len(self.notices(3)), 3)

    def notices(self, wanted, seconds=20):
        end = time.monotonic() + seconds
        while len(found := self.front.get("/notices").json()) < wanted and time.monotonic() < end:
            time.sleep(0.1)
        return found


def demo(kind, carrel, packages, work, checks):
    port = free_port()
    events = work / f"events-{kind}"
    shutil.copytree(EXAMPLES / "storefront-events", events)
    manifest = events / "carrel.toml"
    manifest.write_text(manifest.read_text().replace("127.0.0.1:8000", f"127.0.0.1:{port}"))
    state = work / f"state-{kind}"
    server = Server([carrel, "serve", events, "--state", state, "--port", "0", "--admin", "127.0.0.1:0",
                     "--data", "127.0.0.1:0", "--allow-egress", "127.0.0.0/8"], work)  # fmt: skip

    def points(customer):
        """Those that the ledger has counted, once its deliveries have stopped coming."""
        words = [carrel, "kv", "get", "orders", "points", customer, "--state", state]
        last, end = None, time.monotonic() + 20
        while time.monotonic() < end:
            now = subprocess.run(words, capture_output=True, text=True).stdout.strip()
            if now and now == last:
                return now
            last = now
            time.sleep(1)
        return last

    try:
        words = [carrel, "secret", "set", "orders", "BACK_OFFICE_KEY", "--state", state]
        subprocess.run(words, input=KEY, check=True, text=True, capture_output=True)
        environment = {
            "CARREL_EVENTS": re.search(r"hook points at (http://\S+?:\d+)", "".join(server.lines)).group(1),
            "CARREL_TOKEN": (state / "token").read_text().strip(),
            "BACK_OFFICE_KEY": KEY,
        }
        with Front(kind, work, port, packages, **environment) as front:
            Story(kind, front, checks, points).tell()
            checks.expect(f"{kind}: the front's exit status", front.stop(), lambda status: status in (0, -15))
    finally:
        server.stop(checks)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--carrel", required=True, type=Path, help="the carrel program")
    carrel = arguments.parse_args().carrel.resolve()
    packages = carrel.parents[1]
    modules = ("loyalty", "parcels", "limits", "reviews", "tax")
    missing = [name for name in modules if not (SHOP / "build" / f"{name}.wasm").is_file()]
    if missing:
        sys.exit(f"not built: {', '.join(missing)}; run ./dev build")
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="carrel-storefront-") as temporary:
        work = Path(temporary)
        unpack_wheel(packages, work / "python")
        demo("python", carrel, packages, work, checks)
        if "CARREL_NODE_HOME" in os.environ:
            demo("node", carrel, packages, work, checks)
        else:
            print("\nThe front in Node is left out: there is no Fastify here")
    return checks.report()


if __name__ == "__main__":
    sys.exit(main())
