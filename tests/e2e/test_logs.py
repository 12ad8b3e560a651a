"""`carrel logs`: what functions say and why they fail, at once and as it comes."""

import json
import subprocess
import threading

from deploying import Node
from wat import guest

from support import CARREL, App, Server


def serving(folder):
    app = App(folder / "app", "shop")
    app.wat("good", guest("fine", error="all is well\n"))
    app.wat("bad", guest("never", error="before the end\n", trap=True))
    app.route("GET /good", "good").route("GET /bad", "bad")
    return Server(["serve", folder / "app", "--port", "0", "--admin", "127.0.0.1:0", "--state", folder / "state"])


def logs(folder, *options):
    command = [str(CARREL), "logs", "shop", "--state", str(folder / "state"), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_the_newest_lines_are_shown(tmp_path):
    with serving(tmp_path) as server:
        assert logs(tmp_path).stdout == ""
        assert server.get("/good")[0] == 200
        status, problem = server.problem("GET", "/bad")
        assert status == 502
        lines = [json.loads(line) for line in logs(tmp_path, "--json").stdout.splitlines()]
        assert [(line["module"], line["kind"]) for line in lines] == [
            ("good", "said"),
            ("bad", "said"),
            ("bad", "failed"),
        ]
        assert lines[0]["text"] == "all is well"
        assert lines[2]["code"] == "guest_trapped"
        assert lines[2]["id"] == problem["id"]
        assert len(logs(tmp_path, "-n", "1").stdout.splitlines()) == 1
        assert logs(tmp_path, "--app", "other").stdout == ""
        assert "shop/good" in logs(tmp_path, "--app", "shop").stdout


def test_a_log_is_followed_until_the_server_ends(tmp_path):
    with serving(tmp_path) as server:
        assert server.get("/good")[0] == 200
        command = [str(CARREL), "logs", "shop", "-f", "--json", "--state", str(tmp_path / "state")]
        follower = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watchdog = threading.Timer(60, follower.kill)
        watchdog.start()
        try:
            assert json.loads(follower.stdout.readline())["module"] == "good"
            server.problem("GET", "/bad")
            assert json.loads(follower.stdout.readline())["text"] == "before the end"
            assert json.loads(follower.stdout.readline())["code"] == "guest_trapped"
            server.stop()
            assert "the server ended the log" in follower.communicate(timeout=30)[1]
            assert follower.returncode == 1
        finally:
            watchdog.cancel()
            follower.kill()
            follower.communicate()


def test_deployed_apps_speak_under_their_tenants(tmp_path):
    with Node(tmp_path / "state") as node:
        for tenant in ("acme", "acme/merchant-17"):
            assert node.ask("POST", "/tenants", json={"name": tenant}).status_code == 201
            app = App(tmp_path / tenant, "shop").wat("page", guest("fine", error=f"of {tenant}\n"))
            node.deploy(app.route("GET /", "page"), "--tenant", tenant)
        assert node.get("shop.acme.localhost") == node.get("shop.merchant-17.acme.localhost") == (200, "fine")
        for tenant in ("acme", "acme/merchant-17"):
            (line,) = map(json.loads, node.run("logs", tenant, "--app", "shop", "--json").stdout.splitlines())
            assert (line["app"], line["module"], line["text"]) == ("shop", "page", f"of {tenant}")


def test_other_tenants_are_not_shown(tmp_path):
    with serving(tmp_path) as server:
        server.get("/good")
        command = [str(CARREL), "logs", "other", "--state", str(tmp_path / "state")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert "all is well" not in done.stdout
