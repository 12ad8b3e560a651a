"""The storefront of examples/: both fronts with customers' modules in their process, and what a browser shows."""

import base64
import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys

import pytest
import requests

from support import CARREL, ROOT, Server, until

EXAMPLES = ROOT / "examples"
sys.path.insert(0, str(EXAMPLES / "storefront"))

from front import SHOP, Front, free_port, unpack_wheel  # noqa: E402

BUILD = CARREL.parents[1]
NODE_HOME = os.environ.get("CARREL_NODE_HOME")
KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()
CI = os.environ.get("CI") == "true"
CHROMIUM = shutil.which("chromium")

if not CI and len(list((SHOP / "build").glob("*.wasm"))) < 5:
    pytest.skip("not all of the storefront's modules were built here", allow_module_level=True)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    work = tmp_path_factory.mktemp("storefront")
    unpack_wheel(BUILD, work / "python")
    return work


@pytest.fixture(scope="module", params=["python", "node"])
def front(request, work):
    if request.param == "node" and NODE_HOME is None:
        pytest.skip("there is no Fastify")
    with Front(request.param, work, free_port(), BUILD) as made:
        yield made
        assert made.stop() in (0, -15)


def cart(customer, quantity=2, **more):
    items = [{"sku": "lamp-brass", "quantity": quantity}, {"sku": "book-wasm", "quantity": 1}]
    return {"customer": customer, "country": "DE", "items": items, **more}


def test_a_quote_has_what_customers_modules_say(front):
    status, quote = front.post("/quote", cart("ada"))
    assert status == 200
    assert quote["goods_cents"] == 2 * 6900 + 3450
    assert [each["id"] for each in quote["shipping"]] == ["parcel", "courier"]
    assert quote["discounts"] == []
    assert quote["tax_cents"] == round(2 * 6900 * 0.19 + 3450 * 0.07)
    assert quote["total_cents"] == quote["goods_cents"] + quote["tax_cents"] + 490
    _, courier = front.post("/quote", cart("ada", shipping="courier"))
    assert courier["chosen"]["cents"] == 1290


def test_who_comes_back_has_a_discount_which_a_module_asks_the_shop_about(front):
    for _ in range(3):
        status, order = front.post("/orders", cart("grace"))
        assert status == 201 and order["total_cents"] > 0
    _, quote = front.post("/quote", cart("grace"))
    assert quote["discounts"] == [{"label": "Thank you for coming back", "cents": 1725}]


def test_an_order_that_a_module_refuses_is_none(front):
    status, answer = front.post("/orders", cart("greedy", quantity=6))
    assert (status, answer) == (422, {"reasons": ["at most 5 of each"]})
    wrong = cart("greedy") | {"items": [{"sku": "nothing", "quantity": 1}]}
    assert front.post("/orders", wrong) == (422, {"reasons": ["there is no nothing"]})
    assert front.post("/orders", {"customer": "greedy"})[0] == 422


def test_the_product_page_shows_customers_html_without_their_scripts(front):
    page = requests.get(f"{front.url}/products/lamp-brass", timeout=20).text
    assert "Brass desk lamp: I would buy it again." in page and "<em>4.6</em>" in page
    assert "<script" not in page and "onclick" not in page
    assert requests.get(f"{front.url}/products/none", timeout=20).status_code == 404


@pytest.mark.skipif(CHROMIUM is None and not CI, reason="there is no Chromium")
def test_a_browser_shows_the_product_page(front, tmp_path):
    """Its picture has the band beside customers' part, and the title is the shop's."""
    assert CHROMIUM is not None, "./dev setup installs Chromium"
    url = f"{front.url}/products/lamp-brass"
    common = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
              f"--user-data-dir={tmp_path / 'profile'}", "--window-size=900,700"]  # fmt: skip
    shown = subprocess.run([*common, "--dump-dom", url], check=True, capture_output=True, text=True, timeout=120).stdout
    assert re.search("<title>Brass desk lamp</title>", shown) and "I would buy it again." in shown
    picture = tmp_path / "product.png"
    subprocess.run([*common, f"--screenshot={picture}", url], check=True, capture_output=True, timeout=120)
    assert (0x0E, 0x74, 0x90) in colours(picture), "no band beside customers' part"


def colours(picture):
    """The colours in a PNG of eight bits a channel."""
    import struct
    import zlib

    data = picture.read_bytes()
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    channels = {2: 3, 6: 4}[kind]
    assert depth == 8
    packed, at = b"", 8
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        packed += data[at + 8 : at + 8 + size] if name == b"IDAT" else b""
        at += size + 12
    raw, stride, above, found = zlib.decompress(packed), width * channels, bytearray(width * channels), set()
    for row in range(height):
        line = bytearray(raw[row * (stride + 1) + 1 : (row + 1) * (stride + 1)])
        how = raw[row * (stride + 1)]
        for i in range(stride):
            left = line[i - channels] if i >= channels else 0
            corner = above[i - channels] if i >= channels else 0
            line[i] = line[i] + [0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner)][how] & 255
        found |= {tuple(line[i : i + 3]) for i in range(0, stride, channels)}
        above = line
    return found


def paeth(left, above, corner):
    guess = left + above - corner
    return min((left, above, corner), key=lambda each: abs(guess - each))


@pytest.mark.parametrize("kind", ["python", "node"])
def test_an_order_is_told_to_a_module_and_to_a_webhook(work, tmp_path, kind):
    if kind == "node" and NODE_HOME is None:
        pytest.skip("there is no Fastify")
    port = free_port()
    shutil.copytree(EXAMPLES / "storefront-events", tmp_path / "events")
    manifest = tmp_path / "events/carrel.toml"
    manifest.write_text(manifest.read_text().replace("127.0.0.1:8000", f"127.0.0.1:{port}"))
    words = ["serve", tmp_path / "events", "--state", tmp_path / "state", "--port", "0", "--admin", "127.0.0.1:0",
             "--data", "127.0.0.1:0", "--allow-egress", "127.0.0.0/8"]  # fmt: skip
    with Server(words) as server:
        words = [CARREL, "secret", "set", "orders", "BACK_OFFICE_KEY", "--state", tmp_path / "state"]
        subprocess.run(words, input=KEY, check=True, text=True, capture_output=True)
        data = re.search(r"hook points at (http://\S+?:\d+)", server.log).group(1)
        token = (tmp_path / "state/token").read_text().strip()
        environment = {"CARREL_EVENTS": data, "CARREL_TOKEN": token, "BACK_OFFICE_KEY": KEY}
        # The file is the front's alone while it runs: the locks of Node's SQLite are not those of Python's.
        file = tmp_path / "shop.db"
        with contextlib.closing(sqlite3.connect(file)) as database, database:
            database.executescript((SHOP / "schema.sql").read_text())
            database.execute("INSERT INTO outbox (data) VALUES ('{}')")  # no order that the point takes
        with Front(kind, work, port, BUILD, **{**environment, "SHOP_DB": str(file)}) as front:
            orders = []
            for customer in ("ada", "bob", "cid"):  # one by one: the outbox has nothing else to tell
                status, order = front.post("/orders", cart(customer))
                assert status == 201
                orders.append({"order": order["order"], "customer": customer, "total_cents": order["total_cents"]})
                words = [CARREL, "kv", "get", "orders", "points", customer, "--state", tmp_path / "state"]
                points = until(lambda words=words: subprocess.run(words, capture_output=True, text=True).stdout.strip())
                assert json.loads(points) == order["total_cents"] // 100
            until(lambda: requests.get(f"{front.url}/notices", timeout=20).json()[2:])
            notices = requests.get(f"{front.url}/notices", timeout=20).json()
            assert sorted(notices, key=lambda notice: notice["order"]) == orders
            forged = requests.post(f"{front.url}/webhooks/order-created", data="{}", timeout=20)
            assert forged.status_code == 401
            assert front.stop() in (0, -15)
        with contextlib.closing(sqlite3.connect(file)) as database:
            ((data, why),) = database.execute("SELECT data, refused FROM outbox").fetchall()
        assert data == "{}" and "hook_input" in why
