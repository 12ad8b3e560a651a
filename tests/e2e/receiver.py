"""Somebody's server that is told of events: it answers as a test says, and keeps what it was sent."""

import collections
import http.server
import json
import threading
import time

Seen = collections.namedtuple("Seen", "path headers body at")


class Receiver(http.server.ThreadingHTTPServer):
    """`answers[path]`: what to answer there, one after the other, the last one for ever: a status, a
    (status, headers, body), "hang" or "close". Without one: 200."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = {}
        self.seen = []
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def at(self, path):
        with self.lock:
            return [each for each in self.seen if each.path == path]

    def wait_for(self, path, count, seconds=20):
        end = time.monotonic() + seconds
        while len(self.at(path)) < count:
            assert time.monotonic() < end, f"{len(self.at(path))} of {count} at {path}"
            time.sleep(0.02)
        return self.at(path)

    def handle_error(self, *_):
        pass


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            self.server.seen.append(Seen(self.path, headers, body, time.monotonic()))
            left = self.server.answers.get(self.path, [200])
            answer = left.pop(0) if len(left) > 1 else left[0]
        if answer == "hang":
            time.sleep(5)
            answer = "close"
        if answer == "close":
            self.close_connection = True
            return
        status, extra, text = answer if isinstance(answer, tuple) else (answer, {}, "")
        data = text if isinstance(text, bytes) else (text if isinstance(text, str) else json.dumps(text)).encode()
        self.send_response(status)
        for name, value in extra.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST

    def log_message(self, *_):
        pass
