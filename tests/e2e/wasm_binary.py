"""A WebAssembly binary put together by hand, as registries hold them: no toolchain is needed."""


def _leb(number):
    out = bytearray()
    while True:
        low, number = number & 0x7F, number >> 7
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def _name(text):
    return _leb(len(text)) + text.encode()


def _section(kind, *items):
    body = _leb(len(items)) + b"".join(items)
    return bytes([kind]) + _leb(len(body)) + body


def answering(word):
    """A WASI command that answers each request with a short word: one fd_write and nothing else."""
    reply = f"content-type: text/plain\n\n{word}".encode()
    assert len(reply) < 64  # one byte each as a signed constant
    i32 = b"\x7f"
    types = _section(1, b"\x60" + _leb(4) + i32 * 4 + b"\x01" + i32, b"\x60\x00\x00")
    imports = _section(2, _name("wasi_snapshot_preview1") + _name("fd_write") + b"\x00\x00")
    functions = _section(3, b"\x01")
    memory = _section(5, b"\x00\x01")
    exports = _section(7, _name("memory") + b"\x02\x00", _name("_start") + b"\x00\x01")
    # fd_write(1, 0, 1, 48): the iovec is at 0, what was written at 48
    code = b"\x00\x41\x01\x41\x00\x41\x01\x41\x30\x10\x00\x1a\x0b"
    body = _section(10, _leb(len(code)) + code)
    vector = (64).to_bytes(4, "little") + len(reply).to_bytes(4, "little")
    data = _section(
        11,
        b"\x00\x41\x00\x0b" + _leb(len(vector)) + vector,
        b"\x00\x41\xc0\x00\x0b" + _leb(len(reply)) + reply,  # at 64
    )
    return b"\0asm\x01\0\0\0" + types + imports + functions + memory + exports + body + data
