"""The storefront in Python: FastAPI, SQLite, and customers' modules in this process.

pip install carrel fastapi uvicorn
uvicorn --app-dir examples/storefront/web-python main:web
"""

import asyncio
import contextlib
import html
import json
import os

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from pydantic import BaseModel, Field

import carrel
import events
import points
import store
from carrel.webhook import BadSignature, Ids, Replayed, Verifier


@contextlib.asynccontextmanager
async def life(_):
    store.prepare()
    telling = asyncio.create_task(events.tell_for_ever())
    yield
    telling.cancel()
    points.app.close()


web = FastAPI(title="Storefront", lifespan=life)


class Item(BaseModel):
    sku: str
    quantity: int = Field(ge=1, le=1000)


class Wanted(BaseModel):
    customer: str = Field(min_length=1, max_length=64)
    country: str = Field(pattern="^[A-Z]{2}$")
    items: list[Item] = Field(min_length=1, max_length=100)
    shipping: str | None = None


@web.exception_handler(points.Refused)
async def refused(_, error):
    return JSONResponse({"reasons": error.reasons}, 422)


@web.exception_handler(carrel.Error)
async def failed(_, error):
    return JSONResponse({"reasons": [f"the shop cannot say now: {error.code}"]}, 503)


def page(title, body):
    head = f"<meta charset=utf-8><title>{html.escape(title)}</title><link rel=stylesheet href=/shop.css>"
    policy = {"Content-Security-Policy": "default-src 'self'; script-src 'none'"}
    return HTMLResponse(f"<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>", headers=policy)


def euro(cents):
    return f"{cents / 100:.2f} €"


@web.get("/shop.css")
def style():
    return FileResponse(store.HERE.parent / "shop.css")


@web.get("/")
def home():
    rows = "".join(
        f"<li><a href='/products/{each['sku']}'>{html.escape(each['name'])}</a> {euro(each['price_cents'])}"
        for each in store.products()
    )
    return page("Desk supplies", f"<h1>Desk supplies</h1><ul>{rows}</ul>")


@web.get("/products/{sku}")
async def product_page(sku: str):
    product = store.product(sku)
    if product is None:
        raise HTTPException(404)
    theirs = "".join(f"<section class=theirs>{each}</section>" for each in await points.fragments(product))
    name, description = html.escape(product["name"]), html.escape(product["description"])
    price = euro(product["price_cents"])
    return page(product["name"], f"<h1>{name}</h1><p>{description}<p class=price>{price}</p>{theirs}")


@web.post("/quote")
async def quote(wanted: Wanted):
    return await points.quote(wanted.model_dump(), wanted.shipping)


@web.post("/orders", status_code=201)
async def order(wanted: Wanted):
    await points.check(wanted.model_dump())
    made = await points.quote(wanted.model_dump(), wanted.shipping)
    return {"order": store.add_order(made), "total_cents": made["total_cents"]}


verifier = Verifier([os.environ["BACK_OFFICE_KEY"]], ids=Ids()) if "BACK_OFFICE_KEY" in os.environ else None


@web.post("/webhooks/order-created", status_code=204)
async def order_created(request: Request):
    """The same event as a WebHook."""
    body = await request.body()
    try:
        if verifier is None:
            raise BadSignature("no key is set")
        event = verifier.verify(request.headers, body)
    except Replayed:
        return Response(status_code=204)
    except BadSignature:
        raise HTTPException(401) from None
    store.add_notice(event, json.dumps(json.loads(body)["data"]))
    verifier.done(event)
    return Response(status_code=204)


@web.get("/notices")
def notices():
    return store.notices()
