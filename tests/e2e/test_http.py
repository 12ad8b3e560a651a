"""HTTP/1.1 over the wire: what a careful client may do, and what a hostile one tries."""

import http.client
import re
import socket
import threading
import time

import pytest

from support import GUESTS, Server, probe_app

pytestmark = pytest.mark.skipif(not (GUESTS / "probe.wasm").is_file(), reason="the probe is not built")

HOST = b"Host: x\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("http")
    app = probe_app(folder / "app")
    with Server(
        [
            "serve",
            app.folder,
            "--port",
            "0",
            "--admin",
            "off",
            "--state",
            folder / "state",
            "--max-body",
            "4MiB",
            "--body-pause",
            "1s",
            "--idle-time",
            "2s",
        ]
    ) as running:
        yield running
        assert running.stop() == 0


def get(query, more=b"", version=b"1.1"):
    return b"GET /probe?" + query + b" HTTP/" + version + b"\r\n" + HOST + more + b"\r\n"


def post(query, body, more=b""):
    return b"POST /probe?%s HTTP/1.1\r\n%sContent-Length: %d\r\n%s\r\n" % (query, HOST, len(body), more) + body


def statuses(data):
    return [int(code) for code in re.findall(rb"(?:^|(?<=\n)|(?<=[^\r\n]))HTTP/1\.1 (\d{3})", data)]


def test_a_connection_is_kept(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for _ in range(5):
        connection.request("GET", "/probe?env&REQUEST_METHOD")
        assert connection.getresponse().read() == b"GET\n"
        first = connection.sock
    assert connection.sock is first


def test_pipelined_requests_are_answered_in_order(server):
    data = server.raw(
        get(b"env&QUERY_STRING&1") + post(b"echo", b"two") + get(b"env&QUERY_STRING&3", b"Connection: close\r\n")
    )
    assert statuses(data) == [200, 200, 200]
    assert data.index(b"env&QUERY_STRING&1") < data.index(b"two") < data.index(b"env&QUERY_STRING&3")


def test_a_request_arrives_however_it_is_cut(server):
    request = post(b"echo", b"in pieces", b"Connection: close\r\n")
    for cut in (1, 7, 20, len(request) - 12, len(request) - 1):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(request[:cut])
            time.sleep(0.02)
            client.sendall(request[cut:])
            data = b"".join(iter(lambda: client.recv(65536), b""))
        # Cut within the body, it comes back as it came.
        assert statuses(data) == [200] and re.sub(rb"\r\n[0-9a-f]+\r\n", b"", data).count(b"pieces") == 1, cut


def test_a_chunked_body_is_read_as_it_comes(server):
    data = server.raw(
        b"POST /probe?echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n5\r\nhello\r\n6;name=value\r\n world\r\n0\r\nX-Trailer: x\r\n\r\n"
    )
    assert statuses(data) == [200] and b"hello world" in data


@pytest.mark.parametrize(
    "trailer",
    [
        b"Content-Length: 5",
        b"transfer-encoding: chunked",
        b"Host: other",
        b"Authorization: Bearer x",
        b"Cookie: a=b",
        b"Connection: close",
        b"Content-Type: text/html",
        b" folded: x",
        b"no colon",
        b"X: \x00",
        b"X: " + b"y" * (17 << 10),
        b"\r\n".join(b"X-%d: y" % i for i in range(65)),
    ],
)
def test_a_trailer_that_belongs_into_the_head_is_refused(server, trailer):
    data = server.raw(
        b"POST /probe?echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n5\r\nhello\r\n0\r\n" + trailer + b"\r\n\r\n"
    )
    assert statuses(data) in ([400], []) or not data.endswith(b"0\r\n\r\n"), data[-200:]
    assert server.get("/probe?echo")[0] == 200


def test_the_reply_starts_before_the_request_has_ended(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(b"POST /probe?echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        client.settimeout(5)
        data = b""
        while b"first" not in data:
            part = client.recv(65536)
            assert part, data
            data += part
        client.sendall(b"6\r\nsecond\r\n0\r\n\r\n")
        while b"second" not in data:
            part = client.recv(65536)
            assert part, data
            data += part


def test_what_a_guest_prints_is_seen_while_it_waits(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(get(b"slow&4&300"))
        seen = []
        data = b""
        while b"line 4" not in data:
            part = client.recv(65536)
            assert part
            data += part
            seen.append(time.monotonic())
    assert seen[-1] - seen[0] > 0.5, "all at once"


def test_continue_is_said_when_the_guest_reads(server):
    request = post(b"echo", b"body", b"Expect: 100-continue\r\nConnection: close\r\n")
    head, body = request[:-4], request[-4:]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(head)
        data = client.recv(65536)
        assert data.startswith(b"HTTP/1.1 100"), data
        client.sendall(body)
        data = b"".join(iter(lambda: client.recv(65536), b""))
    assert statuses(data) == [200] and data.endswith(b"body")


def test_head_has_the_length_and_no_body(server):
    status, headers, body = server.request("HEAD", "/probe?env&REQUEST_METHOD")
    assert (status, body) == (200, b"")


def test_http_1_0_closes(server):
    data = server.raw(get(b"env&SERVER_PROTOCOL", version=b"1.0"))
    assert data.split(b" ")[1] == b"200" and data.endswith(b"HTTP/1.0\n")
    assert b"chunked" not in data.lower()


@pytest.mark.parametrize(
    "what, request_bytes, status",
    [
        (
            "two lengths",
            b"POST /probe?echo HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
            400,
        ),
        (
            "the same length twice",
            b"POST /probe?echo HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
            400,
        ),
        ("a length with a sign", b"POST /probe?echo HTTP/1.1\r\n" + HOST + b"Content-Length: +3\r\n\r\nabc", 400),
        ("a list of lengths", b"POST /probe?echo HTTP/1.1\r\n" + HOST + b"Content-Length: 3, 3\r\n\r\nabc", 400),
        (
            "a length that overflows",
            b"POST /probe?echo HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999999\r\n\r\n",
            400,
        ),
        (
            "length and coding",
            b"POST /probe?echo HTTP/1.1\r\n"
            + HOST
            + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (
            "another coding",
            b"POST /probe?echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            (400, 501),
        ),
        (
            "a coding in disguise",
            b"POST /probe?echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            (400, 501),
        ),
        (
            "a coding twice",
            b"POST /probe?echo HTTP/1.1\r\n"
            + HOST
            + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (
            "a space before the colon",
            b"POST /probe?echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        ("a folded line", b"GET /probe?env HTTP/1.1\r\n" + HOST + b"X-A: 1\r\n 2\r\n\r\n", 400),
        ("a bare LF", b"GET /probe?env HTTP/1.1\nHost: x\n\n", 400),
        ("a bare CR", b"GET /probe?env HTTP/1.1\r\n" + HOST + b"X-A: 1\rX-B: 2\r\n\r\n", 400),
        ("NUL in a field", b"GET /probe?env HTTP/1.1\r\n" + HOST + b"X-A: 1\x002\r\n\r\n", 400),
        ("no host", b"GET /probe?env HTTP/1.1\r\n\r\n", 400),
        ("two hosts", b"GET /probe?env HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
        ("a host with a path", b"GET /probe?env HTTP/1.1\r\nHost: x/y\r\n\r\n", 400),
        ("a method of odd letters", b"G(T /probe?env HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        ("a target without a slash", b"GET probe HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        ("a target with a tab", b"GET /pro\tbe HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        ("CONNECT", b"CONNECT x:80 HTTP/1.1\r\n" + HOST + b"\r\n", (400, 405, 501)),
        ("HTTP/2 in clear", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 505)),
        ("TLS on a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64 + b"\r\n\r\n", 400),
        (
            "an unknown expectation",
            b"POST /probe?echo HTTP/1.1\r\n" + HOST + b"Expect: magic\r\nContent-Length: 0\r\n\r\n",
            417,
        ),
        ("a long target", b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", (414, 431)),
        ("a long field", b"GET /probe?env HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 100_000 + b"\r\n\r\n", 431),
        (
            "many fields",
            b"GET /probe?env HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: y\r\n" % i for i in range(1000)) + b"\r\n",
            431,
        ),
        ("a long body", b"POST /probe?echo HTTP/1.1\r\n" + HOST + b"Content-Length: 999999999\r\n\r\n", 413),
    ],
)
def test_a_malformed_request_is_refused_and_the_connection_closed(server, what, request_bytes, status):
    smuggled = get(b"env&SMUGGLED")
    data = server.raw(request_bytes + smuggled)
    got = statuses(data)
    assert len(got) == 1, f"{what}: {data!r}"
    assert got[0] in (status if isinstance(status, tuple) else (status,)), f"{what}: {data!r}"
    assert b"application/problem+json" in data


@pytest.mark.parametrize(
    "body",
    [
        b"5\r\nhelloX\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\n0\n\n",
        b"\r\nhello\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\nhello",
        b"g\r\n",
        b"5;" + b"a" * 100_000 + b"\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_invalid_chunking_never_reaches_the_guest_as_a_body(server, body):
    data = server.raw(
        b"POST /probe?count HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + body + get(b"env&SMUGGLED")
    )
    assert statuses(data)[:1] == [400] and len(statuses(data)) == 1, data


def test_a_chunked_body_over_the_limit_is_refused(server):
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    data = server.raw(
        b"POST /probe?count HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 80 + b"0\r\n\r\n"
    )
    assert statuses(data) in ([413], []), data[:300]


def test_a_body_that_stops_arriving_is_a_408(server):
    started = time.monotonic()
    data = server.raw(b"POST /probe?echo HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\nonly this", seconds=15)
    assert time.monotonic() - started < 10
    assert statuses(data) in ([408], []) or b"chunked" in data, data


def test_an_idle_connection_is_closed(server):
    started = time.monotonic()
    assert server.raw(b"", seconds=15) == b""
    assert time.monotonic() - started < 12


def test_slow_headers_end_in_a_408_and_hold_up_nobody(server):
    stop = threading.Event()

    def drip(results):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
            client.sendall(b"GET /probe?env HTTP/1.1\r\n")
            data = b""
            client.settimeout(0.25)
            while not stop.is_set():
                try:
                    client.sendall(b"X: y\r\n")
                    part = client.recv(65536)
                    if not part:
                        break
                    data += part
                except TimeoutError:
                    continue
                except OSError:
                    break
            results.append(data)

    results = []
    clients = [threading.Thread(target=drip, args=(results,)) for _ in range(20)]
    for client in clients:
        client.start()
    started = time.monotonic()
    while any(client.is_alive() for client in clients) and time.monotonic() - started < 25:
        asked = time.monotonic()
        assert server.get("/probe?env&REQUEST_METHOD")[0] == 200
        assert time.monotonic() - asked < 2
        time.sleep(0.5)
    stop.set()
    for client in clients:
        client.join()
    assert time.monotonic() - started < 24, "slow clients are kept for ever"
    assert all(b" 408 " in data or data == b"" for data in results), results[:2]


def test_a_client_that_goes_away_ends_its_turn(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(get(b"sleep&2500"))
        time.sleep(0.2)
    assert server.get("/probe?env&REQUEST_METHOD")[0] == 200


def test_many_connections_at_once(server):
    clients = []
    for _ in range(300):
        client = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        client.sendall(get(b"env&REQUEST_METHOD", b"Connection: close\r\n"))
        clients.append(client)
    for client in clients:
        data = b"".join(iter(lambda client=client: client.recv(65536), b""))
        assert statuses(data) == [200], data
        client.close()
