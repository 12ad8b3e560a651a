#!/usr/bin/env python3
"""A rates service as the shop's exchange asks it: GET /rates/EUR/USD is the rate, as a decimal number.

examples/shop/rates.py 8090
"""

import http.server
import sys

RATES = {"USD": "1.0853", "GBP": "0.8541", "JPY": "169.35"}


class Rates(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        rate = RATES.get(self.path.removeprefix("/rates/EUR/"))
        body = (rate or "no such rate").encode() + b"\n"
        self.send_response(200 if rate else 404)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def service(port=0):
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), Rates)


if __name__ == "__main__":
    service(int(sys.argv[1])).serve_forever()
