"""The shop's hook points: customers' modules, called in this process."""

import os
from pathlib import Path

import carrel
import store

app = carrel.open(os.environ.get("SHOP_POINTS", Path(__file__).resolve().parent.parent))


@app.provide("customer.orders", schema={"type": "object", "required": ["customer"]}, timeout=0.05)
def customer_orders(input):
    """What a discount may know of a customer, and no more."""
    return {"count": store.orders_of(input["customer"])}


class Refused(Exception):
    """`reasons`: why nothing comes of the order."""

    def __init__(self, reasons):
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def cart_of(wanted):
    """The cart as the points take it, with the shop's own prices."""
    items = []
    for item in wanted["items"]:
        product = store.product(item["sku"])
        if product is None:
            raise Refused([f"there is no {item['sku']}"])
        items.append({**item, "price_cents": product["price_cents"], "tax_class": product["tax_class"]})
    total = sum(item["quantity"] * item["price_cents"] for item in items)
    return {"customer": wanted["customer"], "country": wanted["country"], "items": items, "total_cents": total}


async def quote(wanted, shipping=None):
    """What the cart costs, with what customers' modules have to say."""
    cart = cart_of(wanted)
    discounts = await app.call_async("cart.discounts", cart)
    options = [option for each in await app.call_async("shipping.options", cart) for option in each]
    chosen = next((option for option in options if option["id"] == shipping), options[0] if options else None)
    lines = [{"country": cart["country"], "tax_class": item["tax_class"]} for item in cart["items"]]
    rates = app.call("tax.rate", lines)  # a few microseconds: not worth a thread's while
    off = min(sum(each["cents"] for each in discounts), cart["total_cents"])
    net = cart["total_cents"] - off
    part = net / cart["total_cents"] if cart["total_cents"] else 0
    tax = sum(
        item["quantity"] * item["price_cents"] * part * rate / 10_000
        for item, rate in zip(cart["items"], rates, strict=True)
    )
    total = net + round(tax) + (chosen["cents"] if chosen else 0)
    return {**cart, "discounts": discounts, "shipping": options, "chosen": chosen, "tax_cents": round(tax),
            "goods_cents": cart["total_cents"], "total_cents": total}  # fmt: skip


async def check(wanted):
    """Raises Refused with every reason that a module has."""
    verdict = await app.call_async("checkout.validate", cart_of(wanted))
    if not verdict["allow"]:
        raise Refused([each["reason"] for each in verdict["denials"]])


async def fragments(product):
    """What customers add to a product's page: HTML that the point has cleaned."""
    return [answer["html"] for answer in await app.call_async("product.page", product)]
