"""What tests of components share: the one that serves requests, how it is asked raw, and what it says."""

import time

from support import GUESTS

WEB = GUESTS / "web.wasm"

TAKES = b"Host: x\r\nTE: trailers\r\nConnection: close\r\n"
SUMMED = b"POST /sum HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"


def said(server, text, seconds=10):
    """The log is written behind the replies."""
    until = time.monotonic() + seconds
    while text not in server.log and time.monotonic() < until:
        time.sleep(0.01)
    return text in server.log
