"""The package for Python as its wheel has it, in an environment of its own."""

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from test_embed_server import LocalShop

from hook_app import first_example, hook_app, run
from support import CARREL, ROOT

README = ROOT / "bindings/python/README.md"
WHEELS = sorted((CARREL.parents[1] / "python").glob("*.whl"))
BEFORE = """
import asyncio, contextvars, json, logging, os, pickle, signal, sys, threading, time
import carrel

def opened(**more):
    return carrel.open(sys.argv[1], **more)

def code_of(work):
    try:
        work()
    except carrel.Error as error:
        return error.code
    return ""
"""


class Environment:
    """A virtual environment with the wheel and nothing else, and an app."""

    def __init__(self, work):
        self.work = work
        assert len(WHEELS) == 1, f"./dev build makes one wheel: {WHEELS}"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", work / "venv"], check=True)
        self.python = work / "venv/bin/python"
        subprocess.run(
            [sys.executable, "-m", "pip", "--python", self.python, "install", "-q", "--no-index", "--no-deps",
             "--disable-pip-version-check", WHEELS[0]],
            check=True,
        )  # fmt: skip
        site = next((work / "venv/lib").glob("python*/site-packages"))
        (site / "orjson.pth").write_text(str(Path(orjson.__file__).parents[1]))  # as if pip had fetched it
        self.app = hook_app(work / "shop")

    def run(self, script, **more):
        return run([self.python, "-c", BEFORE + script, self.app], self.work / "cache", cwd=self.work, **more)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("python"))


def test_the_readmes_first_example_works_when_pasted(environment, tmp_path):
    example, printed = first_example(README, "python")
    (tmp_path / "example.py").write_text(example)
    done = run([environment.python, "example.py"], environment.work / "cache", cwd=tmp_path)
    assert done.stdout.splitlines() == printed


def test_values_go_in_and_come_out_as_json_has_them(environment):
    environment.run("""
with opened() as app:
    for value in ({"total": 1.5, "name": "café ☕"}, [1, [2]], "a text", 7, None, True, {"1": {}, "é": 0.1}):
        assert app.call("echo", value) == value, value
    assert app.call("echo", b'{"a":  1}') == {"a": 1}
    assert app.call_raw("echo", b'{"a":  1}') == b'{"a":  1}' == app.call_raw("echo", '{"a":  1}')
    assert app.call("add", {"total": 1}, tenant="shop/merchant-17", timeout=0.2) == {"total": 1, "gift": 1}
    reply = app.ask("add", {"total": 1})
    assert reply.output["gift"] == 1 and reply.runs[0]["status"] == "answered", reply
    assert {"point": "add", "combine": "chain"}.items() <= app.points()[0].items(), app.points()
    assert carrel.__version__.count(".") == 2
""")


def test_what_fails_is_an_exception_with_a_code_and_what_to_do(environment):
    environment.run("""
assert code_of(lambda: carrel.open("/nowhere")) == "not_found"
app = opened()
assert code_of(lambda: app.call("no.such", {})) == "not_found"
assert code_of(lambda: app.call("echo", {}, tenant="another")) == "invalid_argument"
assert code_of(lambda: app.call_raw("echo", b"{oh no")) == "hook_input"
try:
    app.call("add", {"sum": 1})
except carrel.InputRefused as error:
    assert "total" in error.details["problems"][0]["message"] and str(error).startswith("hook_input: "), error
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is carrel.InputRefused and again.details == error.details
for point, code in {"huge": "hook_answer", "loop": "guest_cpu_limit", "sleep": "hook_late", "trap": "guest_trapped",
                    "exit": "guest_exited"}.items():
    try:
        app.call(point, {})
        raise AssertionError(point)
    except carrel.ModuleFailed as error:
        assert (error.code, error.binding) == (code, "one"), (point, error)
for bad in (lambda: app.call("echo", object()), lambda: app.call("echo", 1 << 64), lambda: app.call(7, {}),
            lambda: app.call("ec\\0ho", {}), lambda: app.call("echo", "\\ud800"), lambda: app.call_raw("echo", 7),
            lambda: app.provide("x")(7)):
    try:
        bad()
    except (TypeError, ValueError):
        continue
    raise AssertionError("taken")
try:
    app.provide("No Name")(print)
except carrel.Error as error:
    assert error.code == "invalid_argument", error
""")


def test_calls_that_are_awaited_hold_up_no_loop(environment):
    environment.run("""
app = opened()
async def main():
    assert await asyncio.gather(*(app.call_async("echo", i) for i in range(200))) == list(range(200))
    assert await app.call_raw_async("echo", b"[1]") == b"[1]"
    ticks = 0
    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1
    ticking = asyncio.create_task(tick())
    try:
        await app.call_async("sleep", {})
        raise AssertionError
    except carrel.ModuleFailed as error:
        assert error.code == "hook_late"
    assert ticks > 10, ticks
    late = asyncio.create_task(app.call_async("sleep", {}))
    await asyncio.sleep(0.02)
    late.cancel()
    await asyncio.wait([late])
    assert late.cancelled()
    await asyncio.sleep(0.4)  # what comes of it harms nobody
    ticking.cancel()
    asyncio.create_task(app.call_async("sleep", {}))
    await asyncio.sleep(0.02)  # the loop ends before the call
asyncio.run(main())
asyncio.run(main())
""")


def test_other_threads_run_while_a_call_waits(environment):
    environment.run("""
app = opened()
count = 0
def work():
    global count
    while True:
        time.sleep(0.01)
        count += 1
threading.Thread(target=work, daemon=True).start()
assert code_of(lambda: app.call("sleep", {})) == "hook_late"
assert count > 10, count
""")


def test_modules_call_functions_of_the_application(environment):
    environment.run("""
lines = []
app = opened(log=lines.append)
who = contextvars.ContextVar("who")
seen = []

@app.provide("price", schema={"type": "object", "required": ["sku"]})
def price(input):
    seen.append((who.get(), threading.get_ident()))
    return {"of": input["sku"], "price": 12}

@app.provide("slow")
async def slow(input):
    seen.append((who.get(), asyncio.get_running_loop()))
    await asyncio.sleep(0.05)
    return input

who.set("a")
assert app.call("ask-price", {"sku": "é"}) == {"of": "é", "price": 12}
assert seen == [("a", threading.get_ident())], seen
assert app.call("ask-price", {}) == {"errno": 29} and "sku" in lines[-1]["text"], lines
assert app.call("ask-slow", [1]) == [1]
assert app.call("ask-again", {}) == {"errno": 44}  # nobody provides it
assert code_of(lambda: app.provide("price")(print)) == "already_exists"

async def main():
    who.set("b")
    seen.clear()
    assert await app.call_async("ask-price", {"sku": "x"}) == {"of": "x", "price": 12}
    assert seen[0][0] == "b" and seen[0][1] != threading.get_ident(), seen
    seen.clear()
    begin = time.monotonic()
    assert await asyncio.gather(*(app.call_async("ask-slow", i) for i in range(20))) == list(range(20))
    assert time.monotonic() - begin < 0.9, "one after the other"
    assert seen == [("b", asyncio.get_running_loop())] * 20
    assert app.call("ask-slow", {}) == {"errno": 29}  # it would wait for the loop that it holds up
asyncio.run(main())
""")


def test_functions_that_do_badly_fail_the_modules_call_and_nothing_else(environment):
    environment.run("""
lines, errors = [], []
logging.getLogger("carrel").addHandler(type("H", (logging.Handler,), {"emit": lambda self, r: errors.append(r)})())
app = opened(log=lines.append)

@app.provide("raising")
def raising(input):
    raise KeyError("a secret")

@app.provide("refusing")
def refusing(input):
    raise carrel.Refusal("sold out \\0 \\ud800")

@app.provide("garbage")
def garbage(input):
    return [object(), 1 << 64, raising, "\\ud800"][input]

@app.provide("huge")
async def huge(input):
    return "x" * (2 << 20)

@app.provide("hangs", timeout=0.05)
async def hangs(input):
    await asyncio.sleep(60)

@app.provide("slow", timeout=0.05)
def slow(input):
    time.sleep(0.2)
    return 1

depth = 0
@app.provide("again")
def again(input):
    global depth
    depth += 1
    try:
        return app.call("ask-again", input)
    except carrel.Error as error:
        return error.code

async def again_async(input):
    try:
        return await app.call_async("ask-price", input)
    except carrel.Error as error:
        return error.code
app.provide("price")(again_async)

everything = [(name, 1) for name in ("raising", "refusing", "huge", "hangs")]
everything += [("garbage", i) for i in range(4)]
for name, input in everything:
    begin = len(lines)
    assert app.call("ask-" + name, input) == {"errno": 29}, name
    assert len(lines) == begin + 1, lines[begin:]
    assert "a secret" not in lines[-1]["text"]
    if name == "refusing":
        assert "refused: sold out" in lines[-1]["text"], lines
    if name == "raising":
        assert "KeyError" in lines[-1]["text"] and errors[-1].exc_info[1].args == ("a secret",), lines
assert app.call("ask-slow", {}) == 1  # on this thread: nobody can end it
assert app.call("ask-again", {}) == "too_deep" and depth == 8, depth
assert app.call("ask-price", {}) == "too_deep"

async def main():
    for name, input in everything:
        assert await app.call_async("ask-" + name, input) == {"errno": 29}, name
    assert await app.call_async("ask-slow", {}) == {"errno": 29}
    assert await app.call_async("ask-again", {}) == "too_deep"
    assert await app.call_async("ask-price", {}) == "too_deep"
asyncio.run(main())
""")


def test_an_interrupt_inside_a_function_is_the_callers(environment):
    environment.run("""
app = opened()
@app.provide("interrupted")
def interrupted(input):
    signal.raise_signal(signal.SIGINT)
    time.sleep(5)
try:
    app.call("ask-interrupted", {})
    raise AssertionError
except KeyboardInterrupt:
    pass
assert app.call("echo", 1) == 1
""")


def test_a_closed_app_says_so_and_calls_in_progress_end(environment):
    environment.run("""
app = opened()
app.provide("slow")(lambda input: time.sleep(0.2) or input)
answers = []
thread = threading.Thread(target=lambda: answers.append(app.call("ask-slow", 1)))
thread.start()
time.sleep(0.05)
assert code_of(lambda: app.drain(0.01)) == "late"
app.close()
app.close()
for refused in (lambda: app.call("echo", 1), app.points, lambda: app.drain(1), lambda: app.provide("x")(print),
                lambda: asyncio.run(app.call_async("echo", 1))):
    try:
        refused()
        raise AssertionError
    except carrel.Closed:
        pass
thread.join()
assert answers == [1]

for _ in range(5):
    app = opened()
    def hammer():
        for i in range(500):
            assert code_of(lambda: app.call("echo", i)) in ("", "closed")
    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for each in threads:
        each.start()
    time.sleep(0.01)
    app.close()
    for each in threads:
        each.join()
""")


def test_a_child_that_was_forked_opens_the_app_again(environment):
    environment.run(
        """
app, closed = opened(), opened()
closed.close()
app.provide("price")(lambda input: os.getpid())
assert app.call("ask-price", 1) == os.getpid()
asyncio.run(app.call_async("echo", 1))
busy = [threading.Thread(target=lambda: [app.call("echo", 1) for _ in range(3000)], daemon=True) for _ in range(3)]
for each in busy:
    each.start()
for round in range(5):
    child = os.fork()
    if child == 0:
        try:
            answers = []
            threads = [threading.Thread(target=lambda: answers.append(app.call("ask-price", 1))) for _ in range(4)]
            for each in threads:
                each.start()
            for each in threads:
                each.join()
            assert answers == [os.getpid()] * 4, answers
            assert asyncio.run(app.call_async("ask-price", 1)) == os.getpid()
            assert code_of(lambda: closed.call("echo", 1)) in ("closed", "reopen")
            app.close()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
assert app.call("ask-price", 1) == os.getpid()
""",
        timeout=120,
    )


@pytest.mark.parametrize("way", ["threads", "loop", "functions"])
def test_a_process_may_end_with_calls_in_flight(environment, way):
    script = """
app = opened()
app.provide("slow")(lambda input: time.sleep(input) or 1)
def forever():
    while True:
        app.call("echo", 1)
def in_functions():
    while True:
        app.call("ask-slow", 0.001)
if sys.argv[2] == "threads":
    for _ in range(4):
        threading.Thread(target=forever, daemon=True).start()
elif sys.argv[2] == "functions":
    for _ in range(4):
        threading.Thread(target=in_functions, daemon=True).start()
    threading.Thread(target=lambda: app.call("ask-slow", 60), daemon=True).start()
else:
    async def main():
        for i in range(200):
            asyncio.get_running_loop().create_task(app.call_async("echo", i))
        asyncio.get_running_loop().create_task(app.call_async("sleep", 1))
        await asyncio.sleep(0)
    asyncio.run(main())
time.sleep(0.05)
class Late:
    def __del__(self):
        time.sleep(0.01)  # the interpreter is ending, and takes a moment
late = Late()
"""
    for _ in range(5):
        done = run([environment.python, "-c", BEFORE + script, environment.app, way], environment.work / "cache")
        assert done.stderr == ""


def test_types_are_what_the_readme_uses(environment, tmp_path):
    example, _ = first_example(README, "python")
    more = """
import asyncio
from typing import Any

with carrel.open(shop, log=lambda line: print(line["text"])) as app:
    @app.provide("stock.level", schema={"type": "object"}, timeout=0.2, rate=10)
    def stock(input: Any) -> dict[str, int]:
        return {"left": 1}

    level: dict[str, int] = stock({})
    runs: list[dict[str, Any]] = app.ask("p", {}).runs
    raw: bytes = app.call_raw("p", "{}")

    async def main() -> None:
        print(await app.call_async("p", 1, tenant="shop", timeout=1))

try:
    app.call("p")
except carrel.ModuleFailed as error:
    name: str | None = error.binding
"""
    (tmp_path / "example.py").write_text(example + more)
    mypy = Path(sys.executable).parent / "mypy"
    command = [mypy, "--strict", "--python-executable", environment.python, "--cache-dir", os.devnull, "example.py"]
    assert run(command, tmp_path, cwd=tmp_path, timeout=200).stdout.startswith("Success")
    command = [mypy, "--strict", "--cache-dir", os.devnull, "-p", "carrel"]
    site = next((environment.work / "venv/lib").glob("python*/site-packages"))
    done = run([*command, "--follow-imports", "silent"], tmp_path, cwd=site, timeout=200)
    assert done.stdout.startswith("Success")


def test_a_servers_socket_is_opened_with_its_token_and_told_of_events(environment, tmp_path):
    shop = LocalShop(tmp_path).start()
    try:
        done = environment.run(
            f"""
with carrel.open({f"unix:{shop.socket}"!r}, token={shop.token!r}, app="shop.localhost") as app:
    print(app.call("echo", {{"n": 1}}))
    print(app.emit("ordered", {{"order": 1}})["deliveries"])
    print(asyncio.run(app.emit_async("ordered", {{"order": 2}}))["deliveries"])
    print(code_of(lambda: app.emit("echo", {{}})), code_of(lambda: app.emit("none", {{}})))
where = {f"unix:{shop.socket}"!r}
print(code_of(lambda: carrel.open(where, token="wrong")))
with opened() as app:
    print(code_of(lambda: app.emit("echo", {{}})))
"""
        )
        assert done.stdout.splitlines() == [
            "{'n': 1}",
            "1",
            "1",
            "invalid_argument not_found",
            "unauthenticated",
            "needs_server",
        ], done.stderr
    finally:
        shop.server.stop()
