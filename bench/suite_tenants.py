#!/usr/bin/env python3
"""Many tenants on one server: deploying, going back, first requests, ten thousand apps, a noisy neighbour.

All of it goes through the command line and the /v1 API of a server on one core; the load has the other. The state
of ten thousand apps is made once and kept in the cache.
"""

import concurrent.futures
import contextlib
import hashlib
import http.client
import json
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from peers import hello_command

from harness import CACHE, CLIENT_CORE, Report, apt, arguments, digest, free_port, note, once, run, server, wrk

TENANTS, APPS_EACH, MODULES = 1000, 10, 2000
LIMITS = 'limits = { memory = "1MiB", cpu = "1s", time = "20s" }'

# About a millisecond of CPU, then a short reply.
BUSY = """(module (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
 (memory (export "memory") 1) (data (i32.const 0) "\\10\\00\\00\\00\\1d\\00\\00\\00")
 (data (i32.const 16) "content-type: text/plain\\n\\nok\\n")
 (func (export "_start") (local $i i32)
  (loop $l (local.set $i (i32.add (local.get $i) (i32.const 1)))
   (br_if $l (i32.lt_u (local.get $i) (i32.const 2000000))))
  (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"""


class Node:
    """A server whose apps are deployed ones, and its API."""

    def __init__(self, options, state, shards=1):
        self.options, self.state, self.shards = options, Path(state), shards

    def __enter__(self):
        self.port, self.admin = free_port(), free_port()
        command = [self.options.carrel, "serve", "--listen", f"127.0.0.1:{self.port}", "--access-log", "off"]
        command += ["--admin", f"127.0.0.1:{self.admin}", "--state", self.state, "--shards", self.shards]
        self.running = contextlib.ExitStack()
        started = time.perf_counter()
        self.process = self.running.enter_context(server(command, self.port))
        self.start_s = time.perf_counter() - started
        self.token = (self.state / "token").read_text().strip()
        return self

    def __exit__(self, *_):
        self.running.close()

    def command(self, *words):
        return [
            self.options.carrel,
            *words,
            "--server",
            f"http://127.0.0.1:{self.admin}",
            "--token-file",
            self.state / "token",
        ]

    def api(self):
        return Api(self.admin, self.token)

    def get(self, host, path="/hello"):
        """One request on a connection of its own: milliseconds, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.connect()
        started = time.perf_counter()
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - started) * 1000
        connection.close()
        if answer.status != 200:
            raise SystemExit(f"{host}{path}: {answer.status} {body[:200]}")
        return took, body

    def resident_kib(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1])
        return 0


class Api:
    """One connection to /v1, kept open."""

    def __init__(self, port, token):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers = {"Authorization": f"Bearer {token}"}

    def call(self, method, path, body=None, expect=(200, 201, 204)):
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        self.connection.request(method, path, body=body, headers=self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in expect:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:500]}")
        return answer.status, json.loads(text) if text else None

    def deploy(self, tenant, app, files):
        """files: {path: bytes}. What `carrel deploy` asks, without packing."""
        target = f"/v1/tenants/{tenant.replace('/', '%2F')}"
        listed = [
            {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for path, data in files.items()
        ]
        by_hash = {entry["sha256"]: files[entry["path"]] for entry in listed}
        while True:
            status, answer = self.call("POST", f"{target}/apps/{app}/versions", {"files": listed}, (200, 201, 409))
            if status != 409:
                break
            for missing in answer["missing"]:
                self.call("PUT", f"{target}/parts/{missing}", by_hash[missing])
        self.call("POST", f"{target}/apps/{app}/versions/{answer['version']}:activate", {})


def manifest(name, source="m.wasm"):
    return (
        f'[app]\nname = "{name}"\n[module.m]\nsource = "{source}"\n{LIMITS}\n'
        f'[[function]]\nroute = "GET /hello"\nmodule = "m"\n'
    )


def folder_of(work, name):
    folder = Path(work) / name
    folder.mkdir(parents=True)
    (folder / "carrel.toml").write_text(manifest(name))
    shutil.copy(hello_command(), folder / "m.wasm")
    return folder


def custom_section(number):
    """Bytes that change a module and not what it does."""
    data = b"\x01n" + f"{number:08d}".encode()
    return b"\x00" + bytes([len(data)]) + data


def milliseconds(function):
    started = time.perf_counter()
    function()
    return (time.perf_counter() - started) * 1000


def deploy(report, options, work):
    """From a changed module on the disk to its first answer; compiling is in `deploy_with_compiling_ms`."""
    folder = folder_of(work, "small")
    module = (folder / "m.wasm").read_bytes()
    (folder / "static").mkdir()
    (folder / "static/version.txt").write_text("first")
    with (folder / "carrel.toml").open("a") as file:
        file.write('[[static]]\nroute = "/s/*"\nfolder = "static"\n')
    changed_module, changed_file = [], []
    with Node(options, Path(work) / "state") as node:
        words = node.command("deploy", folder)
        run(words)
        for i in range(40 if options.long else 20):
            (folder / "m.wasm").write_bytes(module + custom_section(i))
            changed_module.append(milliseconds(lambda: (run(words), node.get("small.localhost"))))
            (folder / "static/version.txt").write_text(str(i))

            def ask(i=i):
                run(words)
                if node.get("small.localhost", "/s/version.txt")[1] != str(i).encode():
                    raise SystemExit("an old version answered after its successor was deployed")

            changed_file.append(milliseconds(ask))
        back = [milliseconds(lambda: run(node.command("rollback", "small"))) for _ in range(10)]
        api = node.api()
        target = "/v1/tenants/small/apps/small"
        versions = [each["version"] for each in api.call("GET", f"{target}/versions")[1]["versions"]]
        switched = []
        for _ in range(9):
            for version in versions[:2]:
                api.call("POST", f"{target}/versions/{version}:activate", {})
            switched.append(milliseconds(lambda: api.call("POST", f"{target}:rollback", {})))
    report.add("tenants.deploy_with_compiling_ms", changed_module, "ms", 1)
    report.add("tenants.deploy_ms", changed_file, "ms", 1)
    report.add("tenants.rollback_command_ms", back, "ms", 1)
    report.add("tenants.rollback_ms", switched, "ms")


def cold(report, options, work):
    """The first request of each of 50 functions after a restart, their code in the cache, over a warm one."""
    count = 50
    state = Path(work) / "state"
    with Node(options, state) as node:
        api = node.api()
        api.call("POST", "/v1/tenants", {"name": "cold"})
        for i in range(count):
            api.deploy(
                "cold",
                f"app{i}",
                {
                    "carrel.toml": manifest(f"app{i}").encode(),
                    "m.wasm": hello_command().read_bytes() + custom_section(i),
                },
            )
    extra = []
    for _ in range(7):
        with Node(options, state) as node:
            first = [node.get(f"app{i}.cold.localhost")[0] for i in range(1, count)]
            warm = [node.get(f"app{i}.cold.localhost")[0] for i in range(1, count)]
            extra.append(statistics.median(first) - statistics.median(warm))
    report.add("tenants.cold_extra_ms", extra, "ms")


def names():
    for tenant in range(TENANTS):
        for app in range(APPS_EACH):
            yield f"t{tenant}", f"a{app}", (tenant * APPS_EACH + app) % MODULES


def make_many(options, state):
    note(f"deploying {TENANTS * APPS_EACH} apps of {TENANTS} tenants, once")
    started = time.monotonic()
    modules = [hello_command().read_bytes() + custom_section(number) for number in range(MODULES)]
    with Node(options, state) as node:
        local = threading.local()

        def one(tenant):
            if not hasattr(local, "api"):
                local.api = node.api()
            local.api.call("POST", "/v1/tenants", {"name": tenant})
            for each, app, number in names_of[tenant]:
                local.api.deploy(each, app, {"carrel.toml": manifest(app).encode(), "m.wasm": modules[number]})

        names_of = {}
        for each in names():
            names_of.setdefault(each[0], []).append(each)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(one, names_of))
    note(f"deployed in {time.monotonic() - started:.0f} s")


# Each request is to the next of many names, in an order that has no pattern.
SPREAD = """
local n, i = %d, 0
request = function()
  i = (i + 7919) %% n
  return wrk.format("GET", "/hello", {["Host"] = "a" .. (i %% 10) .. ".t" .. math.floor(i / 10) .. ".localhost"})
end
"""


def many_apps(report, options, work):
    mark = digest(options.carrel, Path(__file__))
    kept = once(CACHE / "bench" / f"tenants-{mark}", lambda new: make_many(options, new))
    state = Path(work) / "state"
    shutil.copytree(kept, state)
    with Node(options, Path(work) / "empty") as node:
        base = node.resident_kib()
    starts = []
    spread, single = Path(work) / "spread.lua", Path(work) / "single.lua"
    spread.write_text(SPREAD % (TENANTS * APPS_EACH))
    single.write_text(SPREAD % 1)
    for i in range(3):
        with Node(options, state) as node:
            starts.append(node.start_s)
            if i < 2:
                continue
            idle = (node.resident_kib() - base) / (TENANTS * APPS_EACH)
            rates = {spread: [], single: []}
            url = f"http://127.0.0.1:{node.port}/hello"
            for script in rates:
                wrk_script(url, script, 5)
            for _ in range(5):
                for script, values in rates.items():
                    values.append(wrk_script(url, script, 3)[0])
            used = (node.resident_kib() - base) / (TENANTS * APPS_EACH)
    report.add("tenants.start_10k_s", starts, "s")
    report.add("tenants.idle_kib_per_app", [idle], "KiB")
    report.add("tenants.used_kib_per_app", [used], "KiB")
    report.add("tenants.spread_per_s", rates[spread], "requests/s", 0)
    report.add("tenants.single_per_s", rates[single], "requests/s", 0)
    ratio = [a / b for a, b in zip(rates[spread], rates[single], strict=True)]
    report.add("tenants.spread_vs_single", ratio, "ratio")


def wrk_script(url, script, seconds, connections=64):
    return wrk(url, connections=connections, seconds=seconds, script=script)


def noisy(report, options, work):
    """A neighbour of equal weight with as many connections, then with fifty times as many; each of its requests takes a
    millisecond of CPU."""
    fair, loud = [], []
    with Node(options, Path(work) / "state") as node:
        api = node.api()
        for tenant, source, module in (
            ("quiet", "m.wasm", hello_command().read_bytes()),
            ("loud", "m.wat", BUSY.encode()),
        ):
            api.call("POST", "/v1/tenants", {"name": tenant})
            api.deploy(tenant, "app", {"carrel.toml": manifest("app", source).encode(), source: module})
        url = f"http://127.0.0.1:{node.port}/hello"
        for _ in range(9 if options.long else 5):
            for connections, values in ((4, fair), (200, loud)):
                with neighbour(url, connections):
                    time.sleep(0.5)
                    values.append(wrk(url, connections=4, seconds=3, headers=("Host: app.quiet.localhost",))[1][99])
    report.add("tenants.fair_p99_ms", fair, "ms")
    report.add("tenants.loud_p99_ms", loud, "ms")
    report.add("tenants.noisy_p99_ratio", [b / a for a, b in zip(fair, loud, strict=True)], "ratio")


@contextlib.contextmanager
def neighbour(url, connections):
    process = subprocess.Popen(
        [
            "taskset",
            "-c",
            str(CLIENT_CORE),
            "wrk",
            "-t1",
            f"-c{connections}",
            "-d60s",
            "--timeout",
            "30s",
            "-H",
            "Host: app.loud.localhost",
            url,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


PARTS = [deploy, cold, many_apps, noisy]


def main():
    options = arguments(__doc__)
    report = Report(options.json)
    apt("wrk")
    for part in PARTS:
        if options.only and options.only not in part.__name__:
            continue
        note(part.__name__)
        (CACHE / "bench").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="run-", dir=CACHE / "bench") as work:
            try:
                part(report, options, Path(work))
            except subprocess.SubprocessError as error:
                note(f"{part.__name__} failed: {error}")
    report.write()


if __name__ == "__main__":
    main()
