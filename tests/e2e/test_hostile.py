"""Guests that misbehave: each ends with a clear error, and nobody else notices."""

import concurrent.futures
import subprocess
import threading
import time

import pytest

from support import CARREL, GUESTS, App, Server, probe_app

pytestmark = pytest.mark.skipif(not (GUESTS / "probe.wasm").is_file(), reason="the probe is not built")

ANSWER = """
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\10\\00\\00\\00\\1f\\00\\00\\00")
  (data (i32.const 16) "content-type: text/plain\\n\\nfine\\n\\n")
  (func (export "_start") (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    app = probe_app(folder / "app")
    app.wat("good", ANSWER).route("GET /good", "good")
    with Server(["serve", app.folder, "--port", "0", "--state", folder / "state"]) as running:
        yield running
        assert running.stop() == 0


@pytest.fixture(autouse=True)
def others_are_served(server):
    """While a test runs, somebody else asks all the time; every answer comes, and soon."""
    stop, slowest, answers = threading.Event(), [0.0], [0]

    def ask():
        while not stop.is_set():
            started = time.perf_counter()
            status, _, body = server.get("/good")
            assert (status, body.strip()) == (200, b"fine")
            slowest[0] = max(slowest[0], time.perf_counter() - started)
            answers[0] += 1
            time.sleep(0.005)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield
        finally:
            stop.set()
            asking.result()
    assert answers[0] > 0
    assert slowest[0] < 2, f"somebody waited {slowest[0]:.2f} s"


def refused(server, query, status, code=None, **more):
    got, problem = server.problem("GET", f"/probe?{query}", **more)
    assert got == status, (got, problem)
    assert problem["status"] == status
    if code:
        assert problem["code"] == code
    until = time.monotonic() + 10
    while problem["id"] not in server.log:
        assert time.monotonic() < until, "the id leads to the log"
        time.sleep(0.02)


def test_an_endless_loop_is_stopped(server):
    refused(server, "loop", 504, "guest_cpu_limit")


def test_an_endless_loop_in_the_host_is_stopped(server):
    refused(server, "hostloop", 504, "guest_cpu_limit")


def test_a_long_sleep_ends_at_the_deadline(server):
    refused(server, "sleep&60000", 504, "guest_timeout")


def test_unbounded_recursion_is_a_failure(server):
    refused(server, "recurse", 502, "guest_trapped")


def test_a_trap_and_an_abort_are_failures(server):
    refused(server, "trap", 502, "guest_trapped")
    refused(server, "abort", 502)


def test_a_memory_bomb_gets_no_more_than_its_limit(server):
    status, _, body = server.get("/probe?grow")
    assert status == 200
    assert 50 <= int(body.split()[2]) < 64


def test_open_files_are_bounded(server):
    status, _, body = server.get("/probe?open&100000")
    assert status == 200
    assert b"opened 10" in body and b", then" in body, body


def test_private_memory_is_bounded_by_bytes_and_by_names(server):
    status, _, body = server.get("/probe?fill")
    assert status == 200 and b", then " in body, body
    status, _, body = server.get("/probe?names&/tmp&100000")
    assert status == 200, body


def test_endless_output_reaches_a_client_that_reads_and_ends_with_its_limits(server):
    # 10 GiB: more than the CPU limit allows; the reply breaks off instead of ending well.
    data = server.raw(b"GET /probe?big&10737418240 HTTP/1.1\r\nHost: x\r\n\r\n", seconds=20)
    assert data.startswith(b"HTTP/1.1 200")
    assert not data.endswith(b"0\r\n\r\n")


def test_output_nobody_reads_holds_the_guest_and_not_the_server(server):
    import socket

    with socket.create_connection(("127.0.0.1", server.port)) as silent:
        silent.sendall(b"GET /probe?big&1073741824 HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(1.0)


def test_a_body_that_the_guest_never_reads_is_no_obstacle(server):
    status, _, body = server.request("POST", "/probe?noread", body=b"x" * 3_000_000)
    assert status == 200, body


def test_replies_that_would_split_the_response_are_failures(server):
    refused(server, "replybad", 502, "guest_bad_reply")
    refused(server, "replyflood", 502, "guest_bad_reply")
    refused(server, "replyopen", 502, "guest_bad_reply")
    refused(server, "exit&3", 502, "guest_exited")


def test_one_instance_never_sees_anothers_memory(server):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: server.get("/probe?isolation&8"), range(60)))
    assert {body for _, _, body in answers} == {b"clean\n"}


IOVEC = """
(module
  (import "wasi_snapshot_preview1" "{function}" (func $call (param {params}) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "content-type: text/plain\\n\\nerrno ..\\n")
  {data}
  (func (export "_start") (local $e i32)
    (local.set $e (call $call {operands}))
    (i32.store8 (i32.const 96) (i32.add (i32.const 48) (i32.div_u (local.get $e) (i32.const 10))))
    (i32.store8 (i32.const 97) (i32.add (i32.const 48) (i32.rem_u (local.get $e) (i32.const 10))))
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 35))
    (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
"""
CONSTANT = "(i32.const {})".format


@pytest.mark.parametrize(
    "what, function, operands, data, wanted",
    [
        ("vectors outside memory", "fd_write", [2, 0x10000, 1, 8], "", 21),
        ("the last vector half outside", "fd_write", [2, 0xFFFC, 1, 8], "", 21),
        ("a vector that overflows", "fd_write", [2, 0xFFFFFFF8, 2, 8], "", 21),
        ("a buffer outside memory", "fd_write", [2, 128, 1, 8], '"\\00\\00\\01\\00\\01\\00\\00\\00"', 21),
        ("a buffer whose end overflows", "fd_write", [2, 128, 1, 8], '"\\f0\\ff\\ff\\ff\\ff\\ff\\ff\\ff"', 21),
        ("a result outside memory", "fd_write", [2, 128, 1, 0xFFFFFFFF], '"\\40\\00\\00\\00\\01\\00\\00\\00"', 21),
        ("more vectors than there is memory", "fd_write", [2, 0, 0x7FFFFFFF, 8], "", None),
        ("randomness outside memory", "random_get", [0xFFF0, 0x20], "", 21),
        ("randomness of 4 GiB", "random_get", [0, 0xFFFFFFFF], "", 21),
    ],
)
def test_pointers_that_lie_are_an_errno(tmp_path, what, function, operands, data, wanted):
    # 21 is EFAULT; where the count itself is absurd EINVAL (28) will do as well.
    text = IOVEC.format(
        function=function,
        params=" ".join(["i32"] * len(operands)),
        operands=" ".join(CONSTANT(value) for value in operands),
        data=f"(data (i32.const 128) {data})" if data else "",
    )
    module = tmp_path / "lie.wat"
    module.write_text(text)
    done = subprocess.run([str(CARREL), "run", str(module)], capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr
    got = int(done.stdout.split()[-1])
    assert got == wanted if wanted else got in (21, 28), what


@pytest.mark.parametrize(
    "what, start, size, byte, wanted",
    [
        ("a path of a MiB", 65536, 1 << 20, ord("x"), {37}),  # ENAMETOOLONG
        ("a path of NULs", 65536, 8, 0, {25, 28}),  # EILSEQ or EINVAL
        ("a path that is not UTF-8", 65536, 8, 0xFF, {25, 28}),
        ("an empty path", 65536, 0, 0, {44, 28}),
        ("a path that ends outside", 65536, 0xFFFFFFFF, ord("x"), {21}),
    ],
)
def test_paths_that_are_none_are_an_errno(tmp_path, what, start, size, byte, wanted):
    text = IOVEC.format(
        function="path_unlink_file",
        params="i32 i32 i32",
        operands=" ".join(CONSTANT(value) for value in (3, start, size)),
        data="",
    )
    fill = f"(memory.fill {CONSTANT(start)} {CONSTANT(byte)} {CONSTANT(min(size, 1 << 20))}) (local.set $e"
    text = text.replace('(memory (export "memory") 1)', '(memory (export "memory") 32)').replace("(local.set $e", fill)
    module = tmp_path / "path.wat"
    module.write_text(text)
    command = [str(CARREL), "run", "--dir", f"{tmp_path}::/", str(module)]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) in wanted, what


@pytest.mark.parametrize(
    "path, answers",
    [
        ("../../etc/passwd", ("Not found", "Operation not permitted", "Capabilities", "No such file")),
        ("/../etc/passwd", ("Capabilities", "No such file", "not permitted")),
        ("/assets/../../etc/passwd", ("Capabilities", "No such file", "not permitted")),
        ("/tmp/" + "x" * 5000, ("too long", "File name")),
    ],
)
def test_paths_lead_nowhere_else(server, path, answers):
    status, _, body = server.get(f"/probe?cat&{path}")
    assert any(answer.encode() in body for answer in answers) or status == 502, body
    assert b"root:" not in body


@pytest.mark.parametrize(
    "what, content, says",
    [
        ("empty", b"", ["not"]),
        ("not Wasm", b"#!/bin/sh\necho hello\n", ["not"]),
        ("truncated", b"\0asm\1\0\0\0\1\x85", ["unexpected", "end"]),
        ("a component of no world", b"\0asm\x0d\0\1\0", ["no ABI"]),
        (
            "unknown imports",
            b'(module (import "env" "log" (func)) (import "host" "send" (func))'
            b' (memory (export "memory") 1) (func (export "_start")))',
            ["env", "log", "host", "send"],
        ),
        (
            "another type",
            b'(module (import "wasi_snapshot_preview1" "fd_write" (func (param i64)))'
            b' (memory (export "memory") 1) (func (export "_start")))',
            ["fd_write"],
        ),
        ("text with an error", b'(module (func (export "_start") (bogus)))', ["bogus"]),
    ],
)
def test_a_module_that_cannot_run_is_refused_at_the_start(tmp_path, what, content, says):
    app = App(tmp_path / "app")
    (app.folder / "bad.wasm").write_bytes(content)
    app.module("bad", "bad.wasm").route("GET /", "bad")
    done = subprocess.run(
        [str(CARREL), "serve", str(app.folder), "--port", "0", "--state", str(tmp_path / "state")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode not in (0, None) and done.returncode > 0, done
    said = done.stdout + done.stderr
    assert "bad" in said
    for text in says:
        assert text in said, said


@pytest.mark.parametrize(
    "what, text, status",
    [
        ("without memory", '(module (func (export "_start")))', 502),
        (
            "a start function that traps",
            '(module (memory (export "memory") 1) (func $s unreachable) (start $s) (func (export "_start")))',
            502,
        ),
        (
            "a start function that loops",
            '(module (memory (export "memory") 1) (func $s (loop (br 0))) (start $s) (func (export "_start")))',
            504,
        ),
        ("memory beyond its limit", '(module (memory (export "memory") 2000) (func (export "_start")))', 502),
        (
            "a bulk fill without end",
            '(module (memory (export "memory") 512) (func (export "_start")'
            " (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 33554432)) (br 0))))",
            504,
        ),
    ],
)
def test_a_module_that_fails_early_fails_its_own_turn(tmp_path, what, text, status):
    app = App(tmp_path / "app").wat("odd", text, 'limits = { memory = "64MiB", cpu = "200ms", time = "2s" }')
    app.route("GET /odd", "odd").wat("good", ANSWER).route("GET /good", "good")
    with Server(["serve", app.folder, "--port", "0", "--state", tmp_path / "state"]) as server:
        assert server.problem("GET", "/odd")[0] == status
        assert server.get("/good")[0] == 200
        assert server.stop() == 0
