"""A little DNS server on the loopback: it answers what a test says."""

import socket
import struct
import threading

TYPES = {"A": 1, "TXT": 16, "AAAA": 28}


class DnsServer:
    """`records[(name, type)]`: a list of texts or addresses; other names do not exist. Use as a context manager."""

    def __init__(self):
        self.records = {}
        self.asked = []
        self.socket, self.listener = self._bind()
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()
        threading.Thread(target=self._serve_tcp, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.listener.close()

    @staticmethod
    def _bind():
        """The same port over UDP and TCP."""
        while True:
            listener = socket.create_server(("127.0.0.1", 0))
            datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                datagrams.bind(listener.getsockname())
                return datagrams, listener
            except OSError:
                listener.close()

    def _serve(self):
        while True:
            try:
                question, client = self.socket.recvfrom(4096)
                self.socket.sendto(self._answer(question), client)
            except OSError:
                return

    def _serve_tcp(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        with connection, connection.makefile("rb") as stream:
            while len(size := stream.read(2)) == 2:
                answer = self._answer(stream.read(int.from_bytes(size, "big")))
                connection.sendall(len(answer).to_bytes(2, "big") + answer)

    def _answer(self, question):
        labels, at = [], 12
        while size := question[at]:
            labels.append(question[at + 1 : at + 1 + size].decode())
            at += 1 + size
        kind = struct.unpack(">H", question[at + 1 : at + 3])[0]
        name = ".".join(labels).lower()
        self.asked.append((name, kind))
        known = any(each == name for each, _ in self.records)
        values = next((v for (n, t), v in self.records.items() if n == name and TYPES[t] == kind), [])
        flags = 0x8180 if known else 0x8183  # no such name
        header = question[:2] + struct.pack(">HHHHH", flags, 1, len(values), 0, 0)
        answers = b"".join(self._record(kind, value) for value in values)
        return header + question[12 : at + 5] + answers

    @staticmethod
    def _record(kind, value):
        if kind == TYPES["TXT"]:
            data = bytes([len(value)]) + value.encode()
        else:
            data = socket.inet_pton(socket.AF_INET if kind == TYPES["A"] else socket.AF_INET6, value)
        return b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(data)) + data
