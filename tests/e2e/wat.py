"""Guests in WebAssembly text, made for one test: no toolchain is needed."""


def _data(text):
    return "".join(f"\\{byte:02x}" for byte in text.encode())


def _function(name, index, head, body, error):
    """Prints `error` to standard error, then a CGI reply."""
    reply = f"{head}\n\n{body}"
    at = 4096 + index * 4096
    reply_at = at + 2048
    return f"""
  (data (i32.const {at}) "{_data(error)}")
  (data (i32.const {reply_at}) "{_data(reply)}")
  (func (export "{name}")
    (call $print (i32.const 2) (i32.const {at}) (i32.const {len(error.encode())}))
    (call $before)
    (call $print (i32.const 1) (i32.const {reply_at}) (i32.const {len(reply.encode())})))"""


def guest(
    body="fine", *, head="content-type: text/plain", error="", entrypoints=None, routes=None, sleep_ms=0, trap=False
):
    """A command that answers `body`; `entrypoints` are further functions: name -> body."""
    functions = [_function("_start", 0, head, body, error)]
    for index, (name, text) in enumerate((entrypoints or {}).items(), 1):
        functions.append(_function(name, index, head, text, ""))
    if routes is not None:
        listing = "".join(f"{path} {name}\n" for path, name in routes)
        functions.append(f"""
  (data (i32.const 2048) "{_data(listing)}")
  (func (export "_routes")
    (call $print (i32.const 1) (i32.const 2048) (i32.const {len(listing)})))""")
    before = ""
    if sleep_ms:
        # A subscription: a clock (tag 0 at 8), monotonic (1 at 16), its timeout (at 24).
        before = f"""
    (i32.store (i32.const 1040) (i32.const 1))
    (i64.store (i32.const 1048) (i64.const {sleep_ms * 1_000_000}))
    (drop (call $poll (i32.const 1024) (i32.const 1152) (i32.const 1) (i32.const 1184)))"""
    if trap:
        before += "\n    unreachable"
    return f"""(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func $print (param $fd i32) (param $at i32) (param $size i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $size))
    (drop (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $before{before}){"".join(functions)})
"""


# Answers with all its environment variables, one a line.
ENVIRONMENT = """(module
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 64) "content-type: text/plain\\n\\n")
  (func $print (param $at i32) (param $size i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $size))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start") (local $at i32) (local $end i32)
    (drop (call $sizes (i32.const 16) (i32.const 20)))
    (drop (call $get (i32.const 1024) (i32.const 16384)))
    (local.set $at (i32.const 16384))
    (local.set $end (i32.add (i32.const 16384) (i32.load (i32.const 20))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (if (i32.eqz (i32.load8_u (local.get $at)))
        (then (i32.store8 (local.get $at) (i32.const 10))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
    (call $print (i32.const 64) (i32.const 26))
    (call $print (i32.const 16384) (i32.load (i32.const 20)))))
"""
