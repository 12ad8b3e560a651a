#!/usr/bin/env python3
"""Carrel's HTTP functions against nginx, `wasmtime serve` and the bare engine, on one machine in one run.

The server has one core and the load generator the other; access logs are off on every side; every request
gets a fresh instance; the sides take turns in each repetition.
"""

import contextlib
import http.client
import json
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from peers import hello_command, hello_component, nginx_config, wasmtime

from harness import SERVER_CORE, Report, arguments, free_port, note, run, server, wrk


def manifest(name, modules):
    """modules: (name, file beside the manifest, limits, route)."""
    text = f'[app]\nname = "{name}"\n'
    for module, source, limits, route in modules:
        text += (
            f'[module.{module}]\nsource = "{source}"\nlimits = {{ {limits} }}\n'
            f'[[function]]\nroute = "GET {route}"\nmodule = "{module}"\n'
        )
    return text


def app(folder, name, modules):
    folder = Path(folder) / name
    folder.mkdir(parents=True)
    for _, source, _, _ in modules:
        shutil.copy(source, folder)
    modules = [(module, Path(source).name, limits, route) for module, source, limits, route in modules]
    (folder / "carrel.toml").write_text(manifest(name, modules))
    return folder


@contextlib.contextmanager
def carrel(options, folders, work, more=()):
    port = free_port()
    with server(
        [
            options.carrel,
            "serve",
            *folders,
            "--listen",
            f"127.0.0.1:{port}",
            "--shards",
            "1",
            "--access-log",
            "off",
            "--admin",
            "off",
            "--state",
            work / "state",
            *more,
        ],
        port,
    ) as process:
        yield port, process


def keep_resident(options):
    """What Carrel's engine keeps resident on this machine, as options of `wasmtime serve`."""
    settings = {row["name"]: row["value"] for row in json.loads(run([options.carrel, "doctor", "--json"]))["settings"]}

    def size(name):
        number, unit = settings[name].split()
        return int(number) * {"KiB": 1 << 10, "MiB": 1 << 20}[unit]

    return [
        "-O",
        "pooling-allocator",
        "-O",
        f"pooling-memory-keep-resident={size('memory kept resident')}",
        "-O",
        f"pooling-table-keep-resident={size('table kept resident')}",
        "-O",
        f"pooling-async-stack-keep-resident={size('stack kept resident')}",
    ]


@contextlib.contextmanager
def wasmtime_serve(component, tuned=()):
    port = free_port()
    with server([wasmtime(), "serve", *tuned, "--addr", f"127.0.0.1:{port}", component], port):
        yield port


def against_peers(report, options, work):
    hello = hello_command()
    folder = app(work, "hello", [("hello", hello, 'memory = "1MiB"', "/hello")])
    (work / "nginx").mkdir()
    nginx_port = free_port()
    rounds, seconds = (9, 4) if options.long else (5, 2)
    with (
        carrel(options, [folder], work) as (port, _),
        server(nginx_config(work / "nginx", nginx_port), nginx_port),
        wasmtime_serve(hello_component()) as default_port,
        wasmtime_serve(hello_component(), keep_resident(options)) as tuned_port,
    ):
        sides = {
            "carrel": f"http://127.0.0.1:{port}/hello",
            "nginx": f"http://127.0.0.1:{nginx_port}/hello",
            "wasmtime_serve": f"http://127.0.0.1:{default_port}/",
            "wasmtime_serve_tuned": f"http://127.0.0.1:{tuned_port}/",
        }
        for url in sides.values():
            wrk(url, seconds=1)
        rates = {side: [] for side in sides}
        for _ in range(rounds):
            for side, url in sides.items():
                rates[side].append(wrk(url, seconds=seconds)[0])
    for side, values in rates.items():
        report.add(f"http.{side}_rps", values, "requests/s", 0)
    for name, peer in (
        ("fresh_vs_nginx", "nginx"),
        ("vs_wasmtime_serve", "wasmtime_serve"),
        ("vs_wasmtime_serve_tuned", "wasmtime_serve_tuned"),
    ):
        report.add(f"http.{name}", [a / b for a, b in zip(rates["carrel"], rates[peer], strict=True)], "ratio")


def engine_room(report, options, work):
    text = run(["taskset", "-c", SERVER_CORE, options.carrel.parent / "engine_room_bench", hello_command()])
    bare, room = figures(text, "bare_us"), figures(text, "room_us")
    report.add("http.bare_loop_us", bare, "us")
    report.add("http.engine_room_us", room, "us")
    report.add("http.engine_room_overhead", [b / a for a, b in zip(bare, room, strict=True)], "ratio")


def figures(text, name):
    return [float(line.split()[1]) for line in text.splitlines() if line.split()[:1] == [name]]


def go_guest(report, options, work):
    guest = options.carrel.parents[2] / "guests/probe_go.wasm"
    if not guest.is_file():
        note("go_over_bare_loop: no build/guests/probe_go.wasm; ./dev build makes it where Go is installed")
        return
    folder = app(work, "go", [("go", guest, 'memory = "64MiB", cpu = "1s"', "/go")])
    bare, http = [], []
    with carrel(options, [folder], work) as (port, _):
        url = f"http://127.0.0.1:{port}/go?env&GATEWAY_INTERFACE"
        wrk(url, seconds=1)
        for _ in range(9 if options.long else 5):
            text = run(
                ["taskset", "-c", SERVER_CORE, options.carrel.parent / "engine_room_bench", "--command", guest, "1"]
            )
            bare.append(figures(text, "bare_us")[0])
            http.append(1e6 / wrk(url, connections=4, seconds=2)[0])
    report.add("http.go_bare_loop_us", bare, "us", 0)
    report.add("http.go_us", http, "us", 0)
    report.add("http.go_over_bare_loop", [b / a for a, b in zip(bare, http, strict=True)], "ratio")


LOOP = '(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))'
FILL = """(module (memory (export "memory") 1024) (func (export "_start")
  (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 67108864)) (br 0))))"""
# Eight times and ends, so that new instances, first touches and releases are in it.
FILL_ANEW = """(module (memory (export "memory") 1024) (func (export "_start") (local $i i32)
  (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 67108864))
    (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 8))))))"""


class Noise:
    """Ten tenants that each keep a request running for ever."""

    def __init__(self, port, tenants):
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(port, name)) for name in tenants]
        for thread in self.threads:
            thread.start()

    def _ask(self, port, tenant):
        while not self.stop.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection.request("GET", "/busy", headers={"Host": f"{tenant}.localhost"})
                connection.getresponse().read()
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def noisy(report, options, work, name, text, metric, settle=0):
    """`settle`: seconds that the noise goes on before it is measured."""
    source = work / f"{name}.wat"
    source.write_text(text)
    tenants = [f"{name}{i}" for i in range(10)]
    folders = [
        app(work, tenant, [("busy", source, 'memory = "64MiB", cpu = "2s", time = "20s"', "/busy")])
        for tenant in tenants
    ]
    folders.append(
        app(work, f"{name}-small", [("hello", hello_command(), 'memory = "1MiB", cpu = "2s", time = "20s"', "/hello")])
    )
    header = (f"Host: {name}-small.localhost",)
    quiet, loud = [], []
    with carrel(options, folders, work) as (port, _):
        url = f"http://127.0.0.1:{port}/hello"
        wrk(url, connections=4, seconds=1, headers=header)
        for _ in range(9 if options.long else 5):
            quiet.append(wrk(url, connections=4, seconds=2, headers=header)[1][99])
            with Noise(port, tenants):
                time.sleep(settle)
                loud.append(wrk(url, connections=4, seconds=3, headers=header)[1][99])
    report.add(f"http.{name}_quiet_p99_ms", quiet, "ms")
    report.add(f"http.{name}_loud_p99_ms", loud, "ms")
    report.add(metric, [b - a for a, b in zip(quiet, loud, strict=True)], "ms")


def noisy_loop(report, options, work):
    noisy(report, options, work, "loop", LOOP, "http.noisy_p99_rise_ms")


def noisy_bulk(report, options, work):
    """Filling what they have: their memory is there already."""
    noisy(report, options, work, "fill", FILL, "http.noisy_bulk_p99_rise_ms", settle=1)


def noisy_bulk_anew(report, options, work):
    """Filling memory that the kernel must give them first: one fill is one call of the host, and holds the shard."""
    noisy(report, options, work, "fillanew", FILL_ANEW, "http.noisy_bulk_anew_p99_rise_ms")


def resident_kib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


def server_pid(process):
    """taskset executes the server in its own place."""
    return process.pid


def many_modules(report, options, work):
    count = 2000
    wat = work / "many"
    wat.mkdir()
    modules = []
    for i in range(count):
        source = wat / f"m{i}.wat"
        source.write_text(
            '(module (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))'
            ' (memory (export "memory") 1) (data (i32.const 0) "\\10\\00\\00\\00\\20\\00\\00\\00")'
            f' (data (i32.const 16) "content-type: text/plain\\n\\nm{i:04d}\\n")'
            ' (func (export "_start") (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))'
        )
        modules.append((f"m{i}", source, 'memory = "1MiB"', f"/m{i}"))
    few = app(work, "few", modules[:1])
    folder = app(work, "many-modules", modules)

    def ask(port, i):
        started = time.perf_counter()
        urllib.request.urlopen(f"http://127.0.0.1:{port}/m{i}").read()
        return (time.perf_counter() - started) * 1000

    with carrel(options, [few], work) as (port, process):
        ask(port, 0)
        base = resident_kib(server_pid(process))
    note(f"compiling {count} modules where they are not cached")
    with carrel(options, [folder], work):
        pass
    started = time.perf_counter()
    with carrel(options, [folder], work) as (port, process):
        report.add("http.start_with_2000_modules_ms", [(time.perf_counter() - started) * 1000], "ms", 0)
        first = [ask(port, i) for i in range(count)]
        second = [ask(port, count - 1) for _ in range(50)]
        report.add("http.idle_kib_per_module", [(resident_kib(server_pid(process)) - base) / count], "KiB")
        maps = len(Path(f"/proc/{server_pid(process)}/maps").read_text().splitlines())
        report.add("http.mappings_with_2000_modules", [maps], "mappings", 0)
        warm = sorted(first)[len(first) // 2] - sorted(second)[len(second) // 2]
        report.add("http.warm_start_ms", [warm], "ms")


PARTS = [engine_room, against_peers, go_guest, noisy_loop, noisy_bulk, noisy_bulk_anew, many_modules]


def main():
    options = arguments(__doc__)
    report = Report(options.json)
    for part in PARTS:
        if options.only and options.only not in part.__name__:
            continue
        note(part.__name__)
        with tempfile.TemporaryDirectory(prefix="carrel-bench-") as work:
            try:
                part(report, options, Path(work))
            except subprocess.SubprocessError as error:
                note(f"{part.__name__} failed: {error}")
    report.write()


if __name__ == "__main__":
    main()
