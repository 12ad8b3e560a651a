"""The server's configuration file, and what checks it."""

import json
import re
import signal
import subprocess
from pathlib import Path

from test_serve import until
from wat import guest

from support import CARREL, ROOT, App, Server


def carrel(*arguments):
    return subprocess.run([str(CARREL), *map(str, arguments)], text=True, capture_output=True, timeout=60)


def test_a_server_is_told_by_a_file_and_the_command_line_goes_first(tmp_path):
    App(tmp_path / "shop", "shop").wat("page", guest("fine")).route("GET /", "page")
    config = tmp_path / "carreld.toml"
    config.write_text('apps = ["shop"]\nport = 1\nstate = "state"\nadmin = "off"\naccess_log = "access.log"\n')
    assert carrel("check", config).stdout == f"{config} is right\n"
    with Server(["serve", "--config", config, "--port", "0"]) as server:
        assert server.get("/")[2] == b"fine"
        assert server.stop() == 0
    assert (tmp_path / "state" / "node.key").exists()
    assert '"path":"/"' in (tmp_path / "access.log").read_text()


def test_everything_that_is_wrong_is_said_with_its_place(tmp_path):
    config = tmp_path / "carreld.toml"
    config.write_text('lissen = "x"\nshards = 0\nmax_body = ["1KiB"]\n')
    checked = carrel("check", config)
    assert checked.returncode == 1
    assert f'{config}:1:1: unknown key "lissen"; did you mean "listen"?' in checked.stderr
    assert f"{config}:2:1:" in checked.stderr
    assert f"{config}:3:" in checked.stderr
    assert carrel("serve", "--config", config).stderr == checked.stderr
    (line,) = carrel("check", config, "--json").stdout.splitlines()
    assert json.loads(line)["ok"] is False


def test_what_the_file_names_is_checked(tmp_path):
    config = tmp_path / "carreld.toml"
    for text in ('apps = ["nothing"]', 'max_body = "much"', 'tls_cert = "a"\ntls_key = "b"', "listen = "):
        config.write_text(text)
        checked = carrel("check", config)
        assert checked.returncode != 0, text
        assert "Traceback" not in checked.stderr
    assert not (tmp_path / "state").exists()
    assert carrel("check", tmp_path).returncode == 1  # no app


def test_every_key_is_documented():
    page = (ROOT / "docs/reference/carreld.md").read_text()
    documented = set(re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| (`.*?) \|", page, re.M))))
    help_text = carrel("help", "serve").stdout
    options = {
        name.replace("-", "_")
        for name in re.findall(r"--([a-z][a-z-]+)", help_text.split("options:")[1].split("examples:")[0])
    }
    assert options - {"config", "help"} <= documented | {"dev"}, options - documented
    assert documented - {"apps"} <= options | {"json"}, documented - options


def test_every_key_says_whether_it_is_taken_over_at_a_signal():
    page = (ROOT / "docs/reference/carreld.md").read_text()
    rows = re.findall(r"^\| (`.*?) \|.*\| (.*?) \|$", page, re.M)
    taken = {key: when for keys, when in rows for key in re.findall(r"`(\w+)`", keys)}
    assert set(taken.values()) == {"SIGHUP", "restart"}
    # What server.cc's `read_again` takes; the tests below and those of TLS show it.
    reloaded = {"apps", "modules", "host", "issuers", "tls_cert", "tls_key", "tls_folder"}
    assert {key for key, when in taken.items() if when == "SIGHUP"} == reloaded


def test_an_apps_folder_is_checked(tmp_path):
    app = App(tmp_path / "shop", "shop").wat("page", guest()).route("GET /", "page")
    assert carrel("check", app.folder).returncode == 0
    app.text += "\n[nonsense]\n"
    app.write()
    checked = carrel("check", app.folder)
    assert checked.returncode == 1
    assert "nonsense" in checked.stderr
    assert Path(CARREL).exists()


def test_a_signal_has_the_file_read_again(tmp_path):
    for name in ("shop", "blog"):
        App(tmp_path / name, name).wat("page", guest(name)).route("GET /", "page")
    config = tmp_path / "carreld.toml"
    config.write_text('apps = ["shop"]\nport = 0\nstate = "state"\n')
    with Server(["serve", "--config", config]) as server:
        assert server.get("/", headers={"Host": "blog.localhost"})[2] == b"shop"
        config.write_text('apps = ["shop", "blog"]\nport = 0\nstate = "state"\nhost = { blog = "blog.example" }\n')
        server.process.send_signal(signal.SIGHUP)
        until(lambda: server.get("/", headers={"Host": "blog.example"})[2] == b"blog", "the new app")
        config.write_text('apps = ["blog"]\nnonsense = 1\n')
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "reload_failed" in server.log, "the refusal")
        assert server.get("/", headers={"Host": "shop.localhost"})[2] == b"shop"
        config.write_text('apps = ["blog"]\n')
        server.process.send_signal(signal.SIGHUP)
        until(lambda: server.get("/", headers={"Host": "shop.localhost"})[2] == b"blog", "the removal")
        assert server.stop() == 0
