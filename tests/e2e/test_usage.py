"""What tenants have used: counted for each module, also of what fails, and across `kill -9`."""

import csv
import io
import json
import signal
import time

from deploying import Node
from wat import guest

from support import App

FLUSH = 5  # seconds: what a killed server may forget


def shop(folder):
    app = App(folder, "shop").wat("good", guest("fine")).route("POST /good", "good")
    return app.wat("bad", guest("", error="so it goes\n", trap=True)).route("GET /bad", "bad")


def ask_times(node, times, path="/good", body=b"four"):
    host = {"Host": "shop.a.acme.localhost"}
    for _ in range(times):
        status = node.server.request("POST" if body else "GET", path, body=body, headers=host)[0]
        assert status == (200 if path == "/good" else 502), status


def used(node, tenant="acme", by="total"):
    """module -> its row."""
    done = node.run("usage", tenant, "--by", by, "--json")
    assert done.returncode == 0, done.stderr
    return {row["module"]: row for row in map(json.loads, done.stdout.splitlines())}


def turns_by_now(node, module="good"):
    return used(node).get(module, {"turns": 0})["turns"]


def until_turns(node, turns):
    end = time.monotonic() + 3 * FLUSH
    while turns_by_now(node) < turns and time.monotonic() < end:
        time.sleep(0.2)
    assert turns_by_now(node) == turns


def test_usage_is_counted_and_outlives_a_kill(tmp_path):
    app = shop(tmp_path / "app")
    with Node(tmp_path / "state") as node:
        for tenant in ("acme", "acme/a", "acme-2"):
            assert node.run("tenant", "create", tenant).returncode == 0
        assert node.run("usage", "none").returncode == 3
        assert used(node) == {}
        node.deploy(app, "--tenant", "acme/a")
        ask_times(node, 20)
        ask_times(node, 3, "/bad", None)
        until_turns(node, 20)
        rows = used(node)
        assert (rows["good"]["failures"], rows["bad"]["turns"], rows["bad"]["failures"]) == (0, 3, 3)
        assert rows["good"]["tenant"] == "acme/a"
        assert rows["good"]["bytes_out"] == 20 * len("content-type: text/plain\n\nfine")
        assert rows["good"]["cpu_us"] > 0 and rows["good"]["memory_mib_ms"] >= 0
        assert rows["bad"]["log_bytes"] > 0
        assert used(node, "acme-2") == {}
        ask_times(node, 7)
        node.server.process.send_signal(signal.SIGKILL)
        node.server.process.wait()
    with Node(tmp_path / "state") as node:
        after_kill = turns_by_now(node)
        assert 20 <= after_kill <= 27
        ask_times(node, 5)
        assert node.server.stop() == 0
    with Node(tmp_path / "state") as node:
        assert turns_by_now(node) == after_kill + 5  # what a drained server has counted is there at once
        table = node.run("usage", "acme", "--by", "day", "--csv").stdout
        rows = list(csv.DictReader(io.StringIO(table)))
        assert {row["module"] for row in rows} == {"good", "bad"}
        answer = node.ask("GET", "/tenants/acme/usage?by=hour&limit=1", headers={"Accept": "text/csv"})
        assert answer.headers["content-type"].startswith("text/csv")
        assert len(list(csv.DictReader(io.StringIO(answer.text)))) == 1
        assert node.ask("GET", answer.links["next"]["url"].removeprefix("/v1")).status_code == 200


def test_a_tenant_over_a_quota_is_refused_and_others_are_not(tmp_path):
    app = shop(tmp_path / "app")
    with Node(tmp_path / "state", ["--shards", "1"]) as node:
        for tenant in ("acme", "acme/a", "calm"):
            assert node.run("tenant", "create", tenant).returncode == 0
        node.deploy(app, "--tenant", "acme/a")
        node.deploy(app, "--tenant", "calm")
        assert node.run("tenant", "update", "acme", "--quota", "turns_per_second=0").returncode == 0
        status, problem = node.server.problem("POST", "/good", body=b"", headers={"Host": "shop.a.acme.localhost"})
        assert (status, problem["code"]) == (429, "too_many_requests")
        assert node.server.request("POST", "/good", body=b"", headers={"Host": "shop.calm.localhost"})[0] == 200
        for quota in ("turns_per_second=none", "memory_bytes=1KiB"):
            assert node.run("tenant", "update", "acme", "--quota", quota).returncode == 0
        status, headers, _ = node.server.request("POST", "/good", body=b"", headers={"Host": "shop.a.acme.localhost"})
        assert status == 429 and {name.lower() for name in headers} >= {"retry-after"}
    with Node(tmp_path / "state", ["--shards", "1"]) as node:  # and after a restart
        assert node.server.request("POST", "/good", headers={"Host": "shop.a.acme.localhost"})[0] == 429
        changes = ("memory_bytes=none", "turns_per_second=20")
        assert node.run("tenant", "update", "acme", *[part for c in changes for part in ("--quota", c)]).returncode == 0
        begin = time.monotonic()
        ask_times(node, 40)  # twenty at once, then one after the other
        assert time.monotonic() - begin > 0.9
        end = time.monotonic() + 3 * FLUSH
        while used(node).get("good", {"refused": 0})["refused"] == 0:
            assert time.monotonic() < end
            time.sleep(0.2)
