"""Many at once on the same data, and clients that ask again."""

import socket
import threading
import time

from bank import ROUNDS, Connection, code_of

CONNECTIONS = 64
EACH = 100 if ROUNDS else 10


def at_once(shop, *words, each=EACH, connections=CONNECTIONS):
    """The statuses of `words` asked by many connections at the same time."""
    statuses, lock, failed = [], threading.Lock(), []

    def run():
        try:
            connection = Connection(shop.server.port, f"{shop.names[0]}.localhost")
            for _ in range(each):
                status, text = connection.ask(*words)
                with lock:
                    statuses.append((status, code_of(text)))
            connection.close()
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed[0]
    return statuses


def test_a_hot_key_loses_no_increment_and_nobody_sees_a_conflict(bank):
    shop = bank()
    statuses = at_once(shop, "increment", "/kv/hot/key")
    assert set(statuses) == {(200, None)}
    assert int(shop.get("cat", "/kv/hot/key")) == CONNECTIONS * EACH
    shop.restart()
    assert int(shop.get("cat", "/kv/hot/key")) == CONNECTIONS * EACH


def test_a_hot_counter_is_exact(bank):
    shop = bank()
    statuses = at_once(shop, "write", "/counters/stock/hot", "+3")
    assert set(statuses) == {(200, None)}
    assert int(shop.get("cat", "/counters/stock/hot")) == 3 * CONNECTIONS * EACH


def test_a_stock_never_goes_below_its_floor(bank):
    shop = bank()
    shop.get("write", "/counters/stock/left", "+50")
    sold, lock = [], threading.Lock()

    def buy(start):
        connection = Connection(shop.server.port, "bank.localhost")
        for n in range(start, start + 4):
            status, text = connection.ask("order", "floor", n)
            assert status == 200 or (status, code_of(text)) == (409, "below_floor"), text
            if status == 200:
                with lock:
                    sold.append(n)
        connection.close()

    threads = [threading.Thread(target=buy, args=(4 * i,)) for i in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = int(shop.get("cat", "/counters/stock/left"))
    assert left == 0
    assert len(sold) == 50
    assert int(shop.get("list", "/kv/orders/floor", "count")) == 50


# Idempotency-Key.


def post(shop, key, *words, body=None):
    status, headers, text = shop.server.request(
        "POST", "/bank?" + "&".join(words), body=body, headers={"Host": "bank.localhost", "Idempotency-Key": key}
    )
    return status, {name.lower(): value for name, value in headers.items()}, text.decode()


def test_a_request_that_comes_again_is_answered_from_what_was_kept(bank):
    shop = bank()
    first = post(shop, "key-1", "increment", "/kv/hot/once")
    again = post(shop, "key-1", "increment", "/kv/hot/once")
    assert (first[0], first[2]) == (200, "1\n")
    assert "idempotency-replayed" not in first[1]
    assert (again[0], again[2]) == (200, "1\n")
    assert again[1]["idempotency-replayed"] == "true"
    shop.kill()
    shop.start()
    assert post(shop, "key-1", "increment", "/kv/hot/once")[2] == "1\n"
    assert post(shop, "key-2", "increment", "/kv/hot/once")[2] == "2\n"


def test_the_same_key_for_another_request_is_refused(bank):
    shop = bank()
    assert post(shop, "key", "increment", "/kv/hot/a", body=b"one")[0] == 200
    status, _, text = post(shop, "key", "increment", "/kv/hot/a", body=b"two")
    assert (status, code_of(text)) == (422, "idempotency_mismatch")
    assert shop.get("cat", "/kv/hot/a") == "1"


def test_a_reply_that_was_lost_is_not_doubled_by_asking_again(bank):
    shop = bank()
    for i in range(ROUNDS or 10):
        with socket.create_connection(("127.0.0.1", shop.server.port)) as connection:
            connection.sendall(
                f"POST /bank?increment&/kv/hot/lost HTTP/1.1\r\nHost: bank.localhost\r\nIdempotency-Key: lost-{i}\r\n"
                "Content-Length: 0\r\n\r\n".encode()
            )
            time.sleep(0.002 * (i % 5))
        status, _, text = post(shop, f"lost-{i}", "increment", "/kv/hot/lost")
        assert status == 200, text
    assert int(shop.get("cat", "/kv/hot/lost")) == (ROUNDS or 10)


def test_the_same_key_at_once_runs_once(bank):
    shop = bank()
    replies, lock = [], threading.Lock()

    def run():
        reply = post(shop, "together", "increment", "/kv/hot/together")
        with lock:
            replies.append(reply)

    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(status, text) for status, _, text in replies} <= {(200, "1\n")} | {
        reply[::2] for reply in replies if reply[0] in (409, 503)
    }
    assert int(shop.get("cat", "/kv/hot/together")) == 1
