"""Carts, and the orders they become, as a component of wasi:http/proxy.

    PUT  /cart/:id/:sku?qty=2    so many of a product are in the cart; 0 takes it out
    GET  /cart/:id               what is in it
    POST /cart/:id/checkout      201: the order; 409: one of the products has run out

A cart is a value of the bucket "carts" of wasi:keyvalue, which is the store /kv/carts. An order takes its
quantities out of the stock, counts itself, is written down and empties the cart, all in one turn: it happens
wholly or not at all, and a stock never goes below zero however many check out at once.
"""

import json
import re
import secrets
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from componentize_py_types import Ok
from wit_world import exports
from wit_world.imports import store
from wit_world.imports.types import (
    Fields,
    IncomingRequest,
    Method_Post,
    Method_Put,
    OutgoingBody,
    OutgoingResponse,
    ResponseOutparam,
)

MOST_PRODUCTS, MOST_OF_ONE = 50, 1000
PLAIN = "[a-z0-9-]{1,127}"
STOCK = Path("/counters/stock")


class Problem(Exception):
    """A refusal, as the client sees it."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        self.status = status
        self.body = {"type": "about:blank", "title": title, "status": status, "detail": detail}


def unprocessable(detail: str) -> Problem:
    return Problem(422, "Unprocessable Content", detail)


def read_cart(carts: store.Bucket, name: str) -> dict[str, int]:
    return json.loads(carts.get(name) or b"{}")


def write_cart(carts: store.Bucket, name: str, cart: dict[str, int]) -> None:
    if cart:
        carts.set(name, json.dumps(cart, sort_keys=True).encode())
    else:
        carts.delete(name)


def lines(cart: dict[str, int]) -> list[dict]:
    return [{"sku": sku, "quantity": cart[sku]} for sku in sorted(cart)]


def put_line(carts: store.Bucket, name: str, sku: str, quantity: str) -> None:
    if not re.fullmatch("[0-9]{1,4}", quantity) or int(quantity) > MOST_OF_ONE:
        raise unprocessable("say PUT /cart/ID/SKU?qty=N with N from 0 to 1000")
    cart = read_cart(carts, name)
    if int(quantity) > 0:
        cart[sku] = int(quantity)
    else:
        cart.pop(sku, None)
    if len(cart) > MOST_PRODUCTS:
        raise unprocessable("a cart has 50 products at most")
    write_cart(carts, name, cart)


def left(sku: str) -> int:
    try:
        return int((STOCK / sku).read_text())
    except FileNotFoundError:
        return 0


def check_out(carts: store.Bucket, name: str) -> dict:
    cart = read_cart(carts, name)
    if not cart:
        raise Problem(409, "Conflict", "the cart is empty")
    # All is looked at before anything is written: a refusal is an answer too, and what its turn wrote stays.
    for sku, quantity in cart.items():
        if left(sku) < quantity:
            raise Problem(409, "Conflict", f"{sku} has run out")
    for sku, quantity in cart.items():
        # The floor holds at the commit, whatever others ordered since this turn read the number.
        (STOCK / sku).write_text(f"-{quantity} >=0")
    Path("/counters/orders/placed").write_text("+1")
    write_cart(carts, name, {})
    order = {"cart": name, "lines": lines(cart)}
    store.open("orders").set(f"{name}/{secrets.token_hex(8)}", json.dumps(order).encode())
    return order


def answer(request: IncomingRequest) -> tuple[int, object]:
    """A status, and what the body is JSON of."""
    target = urlsplit(request.path_with_query() or "/")
    method = request.method()
    # Names of carts and products become keys, so they are plain.
    found = re.fullmatch(f"/cart/({PLAIN})(?:/({PLAIN}))?", target.path)
    if not found:
        raise unprocessable("names of carts and products are of small letters, digits and hyphens")
    name, sku = found.groups()
    carts = store.open("carts")
    if isinstance(method, Method_Put):
        put_line(carts, name, sku, parse_qs(target.query).get("qty", [""])[0])
        return 204, None
    if isinstance(method, Method_Post):
        return 201, check_out(carts, name)
    return 200, lines(read_cart(carts, name))


def reply(outparam: ResponseOutparam, status: int, content: object, kind: str) -> None:
    fields = [] if content is None else [("content-type", kind.encode())]
    response = OutgoingResponse(Fields.from_list(fields))
    response.set_status_code(status)
    body = response.body()
    ResponseOutparam.set(outparam, Ok(response))
    if content is not None:
        data = json.dumps(content, separators=(",", ":")).encode() + b"\n"
        with body.write() as stream:
            for at in range(0, len(data), 4096):
                stream.blocking_write_and_flush(data[at : at + 4096])
    OutgoingBody.finish(body, None)


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request: IncomingRequest, response_out: ResponseOutparam) -> None:
        try:
            status, content = answer(request)
            reply(response_out, status, content, "application/json")
        except Problem as problem:
            reply(response_out, problem.status, problem.body, "application/problem+json")
