#!/usr/bin/env python3
"""Hook points called in process through libcarrel, against Extism, on one machine in one run.

1 KiB of JSON in and a little more out, through a small module, from C (bench/hook/driver.c). Every call of
Carrel gets a fresh instance. Extism runs the same C source, built for it, from the same driver, through the
library in its PyPI package: a new plugin for each call, of a compiled one, and one plugin called again and again.
From Python and Node through their packages, with an object in and out; beside them the same rule behind an HTTP
WebHook on loopback, in FastAPI and in Go, asked by a client in C (bench/hook/webhook.c).
"""

import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from suite_http import figures

from harness import CACHE, ROOT, Report, arguments, digest, free_port, note, once, run, server

HERE = ROOT / "bench/hook"
EXTISM = "extism-sys==1.41.0"
# What a discount rule of a shop asks for.
CART_SCHEMA = """{
  "type": "object", "required": ["id", "currency", "items"],
  "properties": {
    "id": {"type": "string", "maxLength": 64}, "currency": {"enum": ["EUR", "USD", "GBP"]},
    "items": {"type": "array", "maxItems": 500, "items": {
      "type": "object", "required": ["sku", "quantity", "price"],
      "properties": {"sku": {"type": "string", "minLength": 1}, "quantity": {"type": "integer", "minimum": 1},
                     "price": {"type": "number", "minimum": 0}}}}}}
"""


def cart():
    items = ",".join(
        f'{{"sku":"shirt-{i:04}","quantity":{1 + i % 3},"price":{19.5 + i},"colour":"light grey"}}' for i in range(14)
    )
    text = f'{{"id":"cart-000017","currency":"EUR","items":[{items}]}}'
    return text[:-1] + ',"note":"' + "x" * max(0, 1024 - len(text) - 10) + '"}'


CLANG = ["clang-19", "--target=wasm32-wasi", "-O2", "-Wl,-z,stack-size=8192"]


def guest(kind, *flags):
    source = HERE / "guest.c"
    return once(
        CACHE / "bench" / f"hook-{kind}-{digest(source)}.wasm",
        lambda new: run(
            ["clang-19", "--target=wasm32-wasi", "-O2", "-Wl,-z,stack-size=8192", *flags, "-o", new, source]
        ),
    )


def extism():
    """The shared library in Extism's wheel for Python."""

    def make(new):
        run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", new, EXTISM])

    folder = once(CACHE / "peers" / EXTISM.replace("==", "-"), make)
    return next(folder.glob("extism_sys/*.so"))


class Bench:
    def __init__(self, options, work):
        self.options = options
        self.work = work
        library = options.carrel.parents[1] / "lib"
        self.program = work / "hook_bench"
        run(
            ["clang-19", "-O2", "-Wall", "-Werror", f"-I{ROOT}/include", "-o", self.program, HERE / "driver.c",
             f"-L{library}", "-lcarrel", "-ldl", f"-Wl,-rpath,{library}"]
        )  # fmt: skip
        self.input = work / "cart.json"
        self.input.write_text(cart())
        self.app = work / "app"
        self.app.mkdir()
        (self.app / "cart-schema.json").write_text(CART_SCHEMA)
        text = '[app]\nname = "bench"\n'
        limits = 'limits = { memory = "2MiB", cpu = "1s" }'
        for name, flags in (("rule", []), ("thousand", ["-DFUNCTIONS=1000"])):
            (self.app / f"{name}.wasm").write_bytes(guest(name, *flags).read_bytes())
            text += f'[module.{name}]\nsource = "{name}.wasm"\n{limits}\n'
        checked = 'input = "cart-schema.json"\noutput = "cart-schema.json"'
        for point, combine, count, module, more in (
            ("one", "first", 1, "rule", ""),
            ("checked", "first", 1, "rule", checked),
            ("chain", "chain", 1, "rule", ""),
            ("chain10", "chain", 10, "rule", ""),
            ("functions", "first", 1, "thousand", 'functions = ["add"]'),
        ):
            text += f'[[hook]]\npoint = "{point}"\ncombine = "{combine}"\n{more}\n'
            for i in range(count):
                text += f'[[hook.bind]]\nmodule = "{module}"\nname = "b{i}"\ntenant = "merchant-{i}"\n'
        (self.app / "carrel.toml").write_text(text)

    def measure(self, kind, place, what, count):
        text = run(
            [self.program, kind, place, what, self.input, count],
            env={**os.environ, "XDG_CACHE_HOME": str(CACHE / "bench")},
        )
        return figures(text, "p50")[0], figures(text, "p99")[0]

    def carrel(self, point, count):
        return self.measure("carrel", self.app, point, count)


def in_process(report, bench, rounds):
    seen = {"one": [], "checked": [], "chain": [], "chain10": []}
    for _ in range(rounds):
        for point, values in seen.items():
            values.append(bench.carrel(point, 4000 if point == "chain10" else 20000))
    report.add("hook.c_us", [p50 for p50, _ in seen["one"]], "us")
    report.add("hook.c_checked_us", [p50 for p50, _ in seen["checked"]], "us")
    report.add("hook.p99_over_p50", [p99 / p50 for p50, p99 in seen["one"]], "ratio")
    pairs = zip(seen["chain10"], seen["chain"], strict=True)
    report.add("hook.chain10_over_1", [ten[0] / one[0] for ten, one in pairs], "ratio")


def functions(report, bench, rounds):
    values = []
    for _ in range(rounds):
        with_them, without = bench.carrel("functions", 300)[0], bench.carrel("one", 5000)[0]
        values.append((with_them - without) / 1000)
    report.add("hook.app_function_us", values, "us")


def against_extism(report, bench, rounds):
    library, plugin = extism(), guest("extism", "-DEXTISM", "-mexec-model=reactor")
    fresh, reused, own = [], [], []
    for _ in range(rounds):
        own.append(bench.carrel("one", 20000)[0])
        fresh.append(bench.measure("extism", library, plugin, 2000)[0])
        reused.append(bench.measure("reused", library, plugin, 20000)[0])
    report.add("hook.extism_fresh_us", fresh, "us")
    report.add("hook.extism_reused_us", reused, "us")
    report.add("hook.vs_extism_fresh", [a / b for a, b in zip(fresh, own, strict=True)], "ratio")
    report.add("hook.vs_extism_reused", [a / b for a, b in zip(reused, own, strict=True)], "ratio")


def figure_of(text, name):
    return figures(text, name)[0]


def package(report, bench, rounds, name, command, env):
    """`call` with an object in and out; and beside it, without a bar, from text to text, and awaited."""
    seen = {"p50": [], "raw": [], "async": []}
    for _ in range(rounds):
        text = run([*command, bench.app, "one", bench.input, 10000], env={**os.environ, **env})
        for each, values in seen.items():
            values.append(figure_of(text, each))
    for each, values in seen.items():
        report.add(f"hook.{name}{'' if each == 'p50' else '_' + each}_us", values, "us")


def python(report, bench, rounds):
    wheel = next((bench.options.carrel.parents[1] / "python").glob("*.whl"))
    unpacked = bench.work / "python"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    next(unpacked.glob("carrel/_lib/carrel/carrel-compile")).chmod(0o755)
    env = {"PYTHONPATH": str(unpacked), "XDG_CACHE_HOME": str(CACHE / "bench")}
    package(report, bench, rounds, "python", [sys.executable, HERE / "driver.py"], env)


def node(report, bench, rounds):
    made = bench.options.carrel.parents[1] / "node/carrel"
    if not made.exists():
        return note("there is no Node here")
    command = ["node", HERE / "driver.js", made]
    return package(report, bench, rounds, "node", command, {"XDG_CACHE_HOME": str(CACHE / "bench")})


def webhooks(report, bench, rounds):
    """One server after another, each beside calls in process in the same round."""
    client = bench.work / "webhook_bench"
    run(["clang-19", "-O2", "-Wall", "-Werror", "-o", client, HERE / "webhook.c"])
    servers = {"fastapi": [sys.executable, HERE / "webhook_fastapi.py"]}
    if shutil.which("go"):
        program = bench.work / "webhook_go"
        run(["go", "build", "-buildvcs=false", "-o", program, "."], cwd=HERE / "webhook_go")
        servers["go"] = [program]
    for name, command in servers.items():
        port = free_port()
        with server([*command, port], port):
            took, ratios = [], []
            for _ in range(rounds):
                took.append(figure_of(run(["taskset", "-c", "1", client, port, bench.input, 3000]), "p50"))
                ratios.append(took[-1] / bench.carrel("one", 10000)[0])
        report.add(f"hook.webhook_{name}_us", took, "us")
        report.add(f"hook.vs_webhook_{name}", ratios, "ratio")


PARTS = [in_process, functions, against_extism, python, node, webhooks]


def main():
    options = arguments(__doc__)
    report = Report(options.json)
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as work:
        bench = Bench(options, Path(work))
        for part in PARTS:
            if not options.only or options.only in part.__name__:
                part(report, bench, 9 if options.long else 5)
    report.write()


if __name__ == "__main__":
    main()
