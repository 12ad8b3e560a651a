"""What benchmark suites share: repetitions, figures, peers, processes on one core.

A suite is bench/suite_NAME.py; it prints a line `suite.name value unit` a figure, and with --json
FILE writes a list of {name, value, unit, repetitions, min, median, max}.
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CACHE = Path(os.environ.get("CARREL_CACHE", Path.home() / ".cache/carrel"))
PEERS = CACHE / "peers"
SERVER_CORE, CLIENT_CORE = 0, 1


class Report:
    def __init__(self, json_file=None):
        self.json_file = json_file
        self.figures = []

    def add(self, name, values, unit, digits=2):
        """`values`: one a repetition; the figure is their median."""
        values = list(values)
        middle = statistics.median(values)
        self.figures.append(
            {
                "name": name,
                "value": round(middle, 4),
                "unit": unit,
                "repetitions": len(values),
                "min": round(min(values), 4),
                "median": round(middle, 4),
                "max": round(max(values), 4),
            }
        )
        spread = f"  ({min(values):.{digits}f} to {max(values):.{digits}f}, {len(values)} repetitions)"
        print(f"{name} {middle:.{digits}f} {unit}{spread if len(values) > 1 else ''}", flush=True)
        return middle

    def write(self):
        if self.json_file:
            Path(self.json_file).write_text(json.dumps(self.figures, indent=2) + "\n")


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--carrel", type=Path, default=ROOT / "build/release/bin/carrel")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--long", action="store_true", help="more and longer repetitions")
    parser.add_argument("--only", help="only the parts whose name contains this")
    return parser.parse_args()


def note(text):
    print(f"# {text}", file=sys.stderr, flush=True)


def run(command, **more):
    """Runs to the end; its output, or an exit with the end of it."""
    done = subprocess.run(
        [str(part) for part in command],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        **more,
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout[-3000:]}")
    return done.stdout


def once(target, make):
    """Makes a file or folder of the cache once; `make` gets a path beside it to fill."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(target.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        new.unlink(missing_ok=True)
        make(new)
        new.rename(target)
    return target


def apt(*packages):
    missing = [name for name in packages if subprocess.run(["dpkg", "-s", name], capture_output=True).returncode != 0]
    if missing:
        note(f"installing {' '.join(missing)}")
        sudo = [] if os.geteuid() == 0 else ["sudo"]
        run(
            [
                *sudo,
                "env",
                "DEBIAN_FRONTEND=noninteractive",
                "apt-get",
                "install",
                "-y",
                "--no-install-recommends",
                *missing,
            ]
        )


def digest(*files):
    sums = hashlib.sha256()
    for file in files:
        sums.update(Path(file).read_bytes())
    return sums.hexdigest()[:16]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            sys.exit(f"a server ended early with status {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    sys.exit("a server did not listen in time")


@contextlib.contextmanager
def server(command, port, core=SERVER_CORE, cwd=None, env=None):
    """A server on one core, stopped at the end."""
    process = subprocess.Popen(
        ["taskset", "-c", str(core), *map(str, command)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, process)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wrk(url, connections=32, seconds=2, core=CLIENT_CORE, headers=(), script=None):
    """Requests a second, and latencies in milliseconds by percentile."""
    more = [part for header in headers for part in ("-H", header)]
    more += ["-s", script] if script else []
    text = run(["taskset", "-c", core, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *more, url])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = re.search(r"Socket errors: (.*)", text)
    if bad or errors:
        sys.exit(f"{url}: {bad.group(0) if bad else errors.group(0)}")
    scale = {"us": 1e-3, "ms": 1, "s": 1e3}
    latency = {
        int(percent): float(value) * scale[unit]
        for percent, value, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)", text)
    }
    return rate, latency
