#!/usr/bin/env python3
"""Turns that keep state: durable ones, hot keys, reading, much data; against Fastify with PostgreSQL.

Servers and load generator share the machine's cores, as nothing is pinned; every reply is given after its turn is
on the disk; the sides take turns in each repetition, and a ratio is of one run.
"""

import contextlib
import os
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from peers_turn import Postgres, fastify_server, guest

from harness import CACHE, Report, arguments, digest, free_port, note, run, wait_for_port, wrk

KINDS = {
    "durable": 'kv = ["bench:rw"]',
    "hot": 'kv = ["bench:rw"]',
    "counter": 'counters = ["bench:rw"]',
    "read_only": 'kv = ["bench:r"]',
    "stateless": "",
    "load": 'kv = ["bench:rw"]',
}
STORE = ("key.h", "record.h", "database_options.cc")  # what a filled store depends on


def rounds(options):
    return (9, 4) if options.long else (3, 3)


def app(work, keys=10_000):
    folder = Path(work) / f"turn{keys}"
    folder.mkdir(parents=True)
    text = f'[app]\nname = "turn{keys}"\nstorage = "64GiB"\n'
    for kind, grants in KINDS.items():
        shutil.copy(guest(kind, keys), folder / f"{kind}.wasm")
        cpu = "20s" if kind == "load" else "1s"
        text += (
            f'[module.{kind}]\nsource = "{kind}.wasm"\nlimits = {{ memory = "1MiB", cpu = "{cpu}", time = "30s" }}\n'
            f"grants = {{ {grants} }}\n"
            f'[[function]]\nroute = "GET /{kind}"\nmodule = "{kind}"\n'
        )
    (folder / "carrel.toml").write_text(text)
    return folder


@contextlib.contextmanager
def carrel(options, folder, state):
    """A server on all cores: its port."""
    port = free_port()
    command = [options.carrel, "serve", folder, "--listen", f"127.0.0.1:{port}", "--access-log", "off"]
    process = subprocess.Popen(
        [*map(str, command), "--admin", "off", "--state", str(state)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, process, seconds=120)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def fill(url, keys):
    for first in range(0, keys, 10_000):
        urllib.request.urlopen(f"{url}/load?{first}").read()


def every_core():
    return ",".join(map(str, sorted(os.sched_getaffinity(0))))


def load(url, connections, seconds):
    """wrk with what is bad counted as a failure of the run: (requests a second, percentiles)."""
    return wrk(url, connections=connections, seconds=seconds, core=every_core())


@contextlib.contextmanager
def filled(options, work, keys=10_000):
    folder = app(work, keys)
    with carrel(options, folder, Path(work) / f"state{keys}") as url:
        fill(url, keys)
        yield url


def store_alone(report, options, work):
    """The store without guests and HTTP; the program prints a line `store_per_s VALUE` a repetition."""
    program = options.carrel.parent / "turn_store_bench"
    if not program.is_file():
        note(f"store_per_s: {program} is not built")
        return
    repetitions, seconds = rounds(options)
    found = []
    for i in range(repetitions):
        text = run([program, Path(work) / f"store{i}", str(seconds)])
        found += [float(line.split()[1]) for line in text.splitlines() if line.split()[:1] == ["store_per_s"]]
    report.add("turn.store_per_s", found, "turns/s", 0)


def durable_http(report, options, work):
    repetitions, seconds = rounds(options)
    with filled(options, work) as url:
        load(f"{url}/durable", 256, 1)
        found = [load(f"{url}/durable", 256, seconds) for _ in range(repetitions)]
    report.add("turn.durable_http_per_s", [rate for rate, _ in found], "turns/s", 0)
    report.add("turn.durable_http_p99_ms", [latency[99] for _, latency in found], "ms")


def sync_p50_us(folder, seconds):
    """The median time of appending 200 bytes and one fdatasync."""
    times = []
    with (Path(folder) / "appended").open("ab", buffering=0) as file:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            started = time.perf_counter_ns()
            file.write(b"x" * 200)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter_ns() - started)
    return statistics.median(times) / 1000


def lone(report, options, work):
    repetitions = 15 if options.long else 7
    turns, syncs = [], []
    with filled(options, work) as url:
        load(f"{url}/durable", 1, 1)
        for _ in range(repetitions):
            syncs.append(sync_p50_us(work, 1))
            turns.append(load(f"{url}/durable", 1, 1)[1][50] * 1000)
    report.add("turn.lone_p50_us", turns, "us", 0)
    report.add("turn.fdatasync_p50_us", syncs, "us", 0)
    report.add("turn.lone_vs_fdatasync", [a / b for a, b in zip(turns, syncs, strict=True)], "ratio")


def hot(report, options, work):
    """One key and one counter; a conflict that reached a client would end the run."""
    repetitions, seconds = rounds(options)
    with filled(options, work) as url:
        for kind, figure in (("hot", "hot_key"), ("counter", "hot_counter")):
            load(f"{url}/{kind}", 64, 1)
            report.add(
                f"turn.{figure}_per_s",
                [load(f"{url}/{kind}", 64, seconds)[0] for _ in range(repetitions)],
                "turns/s",
                0,
            )


def read_only(report, options, work):
    repetitions, seconds = rounds(options)
    rates = {"read_only": [], "stateless": []}
    with filled(options, work) as url:
        for kind in rates:
            load(f"{url}/{kind}", 64, 1)
        for _ in range(repetitions + 2):
            for kind, values in rates.items():
                values.append(load(f"{url}/{kind}", 64, seconds)[0])
    report.add("turn.readonly_per_s", rates["read_only"], "turns/s", 0)
    report.add("turn.stateless_per_s", rates["stateless"], "turns/s", 0)
    ratio = [a / b for a, b in zip(rates["read_only"], rates["stateless"], strict=True)]
    report.add("turn.readonly_vs_stateless", ratio, "ratio")


def fastify_postgres(report, options, work):
    """The peer at its best: one process or one a core, whichever is faster here, with the better pool."""
    repetitions, seconds = rounds(options)
    ours, theirs, bare = [], [], []
    with tempfile.TemporaryDirectory(prefix="carrel-pg-") as folder, Postgres(folder, 10_000) as postgres:
        found = {}
        for setup in ((1, 16), (1, 48), (2, 16), (2, 32)):
            with fastify_server(postgres, *setup) as url:
                load(url, 256, 1)
                found[setup] = load(url, 256, 2)[0]
        note(f"fastify by (processes, pool): { {setup: round(rate) for setup, rate in found.items()} }")
        best = max(found, key=found.get)
        with filled(options, work) as carrel_url, fastify_server(postgres, *best) as peer_url:
            load(f"{carrel_url}/durable", 256, 1)
            load(peer_url, 256, 1)
            for _ in range(repetitions):
                ours.append(load(f"{carrel_url}/durable", 256, seconds)[0])
                theirs.append(load(peer_url, 256, seconds)[0])
                bare.append(postgres.pgbench(64, seconds))
    report.add("turn.fastify_postgres_per_s", theirs, "turns/s", 0)
    report.add("turn.pgbench_per_s", bare, "turns/s", 0)
    report.add("turn.vs_fastify_postgres", [a / b for a, b in zip(ours, theirs, strict=True)], "ratio")
    report.add("turn.vs_pgbench", [a / b for a, b in zip(ours, bare, strict=True)], "ratio")


def much_data(report, options, work):
    """The store of ten million keys is kept in the cache: it takes minutes to fill."""
    repetitions, seconds = rounds(options)
    many, few = 10_000_000, 10_000
    source = Path(__file__).resolve().parents[1] / "src/store"
    mark = digest(guest("load", many), *(source / name for name in STORE))
    state = CACHE / "bench" / f"turn-{many}-{mark}"
    folders = app(work, many), app(work, few)
    if not (state / "filled").exists():
        note("filling a store with ten million keys, once")
        shutil.rmtree(state, ignore_errors=True)
        started = time.monotonic()
        with carrel(options, folders[0], state) as url:
            fill(url, many)
        (state / "filled").write_text("")
        note(f"filled in {time.monotonic() - started:.0f} s")
    rates = [], []
    with carrel(options, folders[0], state) as large, carrel(options, folders[1], Path(work) / "few") as small:
        fill(small, few)
        for url in (large, small):
            load(f"{url}/durable", 256, 3)
        for _ in range(repetitions):
            for url, values in zip((large, small), rates, strict=True):
                values.append(load(f"{url}/durable", 256, seconds + 1)[0])
    report.add("turn.rate_1e7_keys", rates[0], "turns/s", 0)
    report.add("turn.rate_1e4_keys", rates[1], "turns/s", 0)
    report.add("turn.rate_1e7_vs_1e4_keys", [a / b for a, b in zip(*rates, strict=True)], "ratio")


PARTS = [store_alone, durable_http, lone, hot, read_only, fastify_postgres, much_data]


def main():
    options = arguments(__doc__)
    report = Report(options.json)
    for part in PARTS:
        if options.only and options.only not in part.__name__:
            continue
        note(part.__name__)
        # Beside the cache, on a disk: /tmp may be memory.
        (CACHE / "bench").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="run-", dir=CACHE / "bench") as work:
            try:
                part(report, options, Path(work))
            except subprocess.SubprocessError as error:
                note(f"{part.__name__} failed: {error}")
    report.write()


if __name__ == "__main__":
    main()
