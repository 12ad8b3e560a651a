#!/usr/bin/env python3
"""Carrel's components against `wasmtime serve`, on one machine in one run, and what a request costs in process.

The server has one core and the load generator the other; access logs are off; every request gets a fresh
instance on every side; the sides take turns in each repetition.
"""

import os
import tempfile
from pathlib import Path

from peers import hello_component
from suite_http import app, carrel, figures, keep_resident, wasmtime_serve

from harness import CACHE, ROOT, SERVER_CORE, Report, arguments, digest, once, run, wrk

TOOL = ROOT / "tools/components/component.mjs"
HERE = ROOT / "bench/component"


def componentize(kind, source, world):
    """A component from a source, kept in the cache; C is compiled first."""

    def make(new):
        made = source
        if kind == "c":
            made = new.with_suffix(".core")
            run(["clang-19", "--target=wasm32-wasi", "-mexec-model=reactor", "-O2", "-o", made, source])
        run(["node", TOOL, "new" if kind == "c" else kind, made, new, world])

    return once(CACHE / "bench" / f"{source.stem}-{digest(source, TOOL)}.component.wasm", make)


def in_process(report, options, work):
    bench = options.carrel.parent / "component_bench"
    for name, file in {"c_us": hello_component(), "c_p3_us": componentize("c", HERE / "service3.c", "http3")}.items():
        report.add(f"component.{name}", figures(run(["taskset", "-c", SERVER_CORE, bench, file]), "us"), "us")


def scaling(report, options, work):
    text = run([options.carrel.parent / "component_bench", hello_component()])
    one, two = figures(text, "one"), figures(text, "two")
    report.add("component.one_shard_rps", one, "requests/s", 0)
    report.add("component.scaling", [b / a for a, b in zip(one, two, strict=True)], "ratio")


def latency(url, connections, seconds):
    """(requests a second, p99 in ms)."""
    rate, percentiles = wrk(url, connections=connections, seconds=seconds)
    return rate, percentiles[99]


def measure(sides, rounds, seconds, connections=32):
    for url in sides.values():
        wrk(url, seconds=1)
    seen = {side: [] for side in sides}
    for _ in range(rounds):
        for side, url in sides.items():
            seen[side].append(latency(url, connections, seconds))
    return seen


def ratio(report, name, mine, peer, which=0, digits=2):
    report.add(name, [a[which] / b[which] for a, b in zip(mine, peer, strict=True)], "ratio", digits)


def against_serve(report, options, work):
    component = hello_component()
    folder = app(work, "web", [("web", component, 'memory = "1MiB"', "/")])
    with (
        carrel(options, [folder], work) as (port, _),
        wasmtime_serve(component) as default_port,
        wasmtime_serve(component, keep_resident(options)) as tuned_port,
    ):
        sides = {
            "carrel": f"http://127.0.0.1:{port}/",
            "default": f"http://127.0.0.1:{default_port}/",
            "tuned": f"http://127.0.0.1:{tuned_port}/",
        }
        seen = measure(sides, 9 if options.long else 5, 4 if options.long else 2)
    report.add("component.rps", [rate for rate, _ in seen["carrel"]], "requests/s", 0)
    ratio(report, "component.vs_wasmtime_serve", seen["carrel"], seen["default"])
    ratio(report, "component.vs_wasmtime_serve_tuned", seen["carrel"], seen["tuned"])


def against_serve_p3(report, options, work):
    component = componentize("c", HERE / "service3.c", "http3")
    folder = app(work, "web3", [("web", component, 'memory = "1MiB"', "/")])
    once_each = ["--max-instance-reuse-count", "1", "-W", "component-model-async=y", "-S", "p3=y"]
    with (
        carrel(options, [folder], work) as (port, _),
        wasmtime_serve(component, [*keep_resident(options), *once_each]) as peer,
    ):
        sides = {"carrel": f"http://127.0.0.1:{port}/", "peer": f"http://127.0.0.1:{peer}/"}
        seen = measure(sides, 9 if options.long else 5, 4 if options.long else 2)
    report.add("component.p3_rps", [rate for rate, _ in seen["carrel"]], "requests/s", 0)
    ratio(report, "component.p3_vs_wasmtime_serve", seen["carrel"], seen["peer"])


def javascript(report, options, work):
    component = componentize("js", HERE / "hello.js", "http")
    folder = app(work, "js", [("js", component, 'memory = "64MiB", cpu = "1s"', "/")])
    with (
        carrel(options, [folder], work) as (port, _),
        wasmtime_serve(component, ["-S", "cli"]) as default_port,
        wasmtime_serve(component, ["-S", "cli", *keep_resident(options)]) as tuned_port,
    ):
        sides = {
            "carrel": f"http://127.0.0.1:{port}/",
            "default": f"http://127.0.0.1:{default_port}/",
            "tuned": f"http://127.0.0.1:{tuned_port}/",
        }
        seen = measure(sides, 5, 4 if options.long else 2)
    report.add("component.js_rps", [rate for rate, _ in seen["carrel"]], "requests/s", 0)
    ratio(report, "component.js_vs_wasmtime_serve", seen["carrel"], seen["default"])
    ratio(report, "component.js_p99_ratio", seen["carrel"], seen["tuned"], which=1)


PARTS = [in_process, scaling, against_serve, against_serve_p3, javascript]


def main():
    options = arguments(__doc__)
    if "CARREL_COMPONENTS_HOME" not in os.environ:
        raise SystemExit("CARREL_COMPONENTS_HOME is not set: run this as ./dev bench component, after ./dev setup")
    report = Report(options.json)
    for part in PARTS:
        if options.only and options.only not in part.__name__:
            continue
        with tempfile.TemporaryDirectory(prefix="carrel-bench-") as work:
            part(report, options, Path(work))
    report.write()


if __name__ == "__main__":
    main()
