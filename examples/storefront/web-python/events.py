"""Tells a Carrel server of orders: what the database's outbox holds, at least once and in order.

An event that the server refuses for what it is would be refused again: it is set aside, and the next one is told.
"""

import asyncio
import logging
import os
import urllib.error
import urllib.request

import store

URL = os.environ.get("CARREL_EVENTS")  # such as http://127.0.0.1:3002; without it, events wait
TOKEN = os.environ.get("CARREL_TOKEN", "")
HOPELESS = (400, 413, 422)
logger = logging.getLogger("shop")


def emit(event, data):
    request = urllib.request.Request(
        f"{URL}/v1/hooks/order.created:emit",
        data.encode(),
        {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", "Idempotency-Key": f"order-{event}"},
    )
    urllib.request.urlopen(request, timeout=5).close()


def tell_all():
    for event, data in store.untold():
        try:
            emit(event, data)
        except urllib.error.HTTPError as error:
            if error.code not in HOPELESS:
                raise
            why = error.read(4096).decode(errors="replace")
            store.set_aside(event, why)
            logger.error("event %s is refused: %s", event, why)
        else:
            store.told(event)


async def tell_for_ever():
    while URL:
        try:
            await asyncio.to_thread(tell_all)
        except OSError as error:
            logger.warning("events wait: %s", error)
        await asyncio.sleep(0.2)
