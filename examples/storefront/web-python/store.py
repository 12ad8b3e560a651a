"""The shop's database. Every function opens its own connection: SQLite's are for one thread."""

import json
import os
import sqlite3
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILE = os.environ.get("SHOP_DB", str(HERE / "shop.db"))


def connect():
    connection = sqlite3.connect(FILE, timeout=10)
    connection.row_factory = sqlite3.Row
    return connection


def prepare():
    with connect() as database:
        database.executescript((HERE.parent / "schema.sql").read_text())


def products():
    with connect() as database:
        return [dict(row) for row in database.execute("SELECT * FROM products ORDER BY name")]


def product(sku):
    with connect() as database:
        row = database.execute("SELECT * FROM products WHERE sku = ?", (sku,)).fetchone()
    return dict(row) if row else None


def orders_of(customer):
    with connect() as database:
        return database.execute("SELECT count(*) FROM orders WHERE customer = ?", (customer,)).fetchone()[0]


def add_order(quote):
    """The order and the event that tells of it, in one transaction."""
    with connect() as database:
        order = database.execute(
            "INSERT INTO orders (customer, country, total_cents, quote) VALUES (?, ?, ?, ?)",
            (quote["customer"], quote["country"], quote["total_cents"], json.dumps(quote)),
        ).lastrowid
        event = {"order": order, "customer": quote["customer"], "total_cents": quote["total_cents"]}
        database.execute("INSERT INTO outbox (data) VALUES (?)", (json.dumps(event),))
    return order


def untold():
    with connect() as database:
        rows = database.execute("SELECT id, data FROM outbox WHERE refused IS NULL ORDER BY id LIMIT 100")
        return [(row["id"], row["data"]) for row in rows]


def told(event):
    with connect() as database:
        database.execute("DELETE FROM outbox WHERE id = ?", (event,))


def set_aside(event, why):
    with connect() as database:
        database.execute("UPDATE outbox SET refused = ? WHERE id = ?", (why, event))


def add_notice(event, data):
    with connect() as database:
        database.execute("INSERT OR IGNORE INTO notices VALUES (?, ?)", (event, data))


def notices():
    with connect() as database:
        return [json.loads(row["data"]) for row in database.execute("SELECT data FROM notices ORDER BY event")]
