"""`carrel dev`: what its user sees while they change their app."""

import time

import pytest
from test_serve import app_of, until
from wat import guest

from support import App, Server


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def dev(state):
    """dev(FOLDER): a server on any port, that must stop cleanly at the end."""
    running = []

    def start(folder):
        server = Server(["dev", folder, "--port", "0", "--state", state])
        running.append(server)
        return server

    yield start
    for server in running:
        with server:
            assert server.stop() == 0, server.log


def answers(server, body):
    return lambda: server.get("/")[2] == body


def test_a_changed_module_is_served_without_a_restart(dev, tmp_path):
    app = app_of(tmp_path, "app", "before")
    server = dev(app.folder)
    assert server.get("/")[2] == b"before"
    (app.folder / "page.wat").write_text(guest("after"))
    until(answers(server, b"after"), "the new module")


def test_a_module_replaced_by_renaming_is_served(dev, tmp_path):
    app = app_of(tmp_path, "app", "before")
    server = dev(app.folder)
    (app.folder / "next.wat.tmp").write_text(guest("after"))
    (app.folder / "next.wat.tmp").rename(app.folder / "page.wat")
    until(answers(server, b"after"), "the new module")


def test_a_module_in_a_folder_made_since_is_followed(dev, tmp_path):
    app = app_of(tmp_path, "app", "before")
    server = dev(app.folder)
    build = app.folder / "target" / "release"
    build.mkdir(parents=True)
    (build / "page.wat").write_text(guest("built"))
    manifest = app.folder / "carrel.toml"
    manifest.write_text(manifest.read_text().replace('"page.wat"', '"target/release/page.wat"'))
    until(answers(server, b"built"), "the module in its new place")
    (build / "page.wat").write_text(guest("built again"))
    until(answers(server, b"built again"), "the module built again")


def test_a_broken_manifest_is_shown_and_the_app_stays_up(dev, tmp_path):
    app = app_of(tmp_path, "app", "before")
    server = dev(app.folder)
    manifest = app.folder / "carrel.toml"
    good = manifest.read_text()
    manifest.write_text(good + "\n[[function]\n")
    until(lambda: "reload_failed" in server.log, "the error")
    assert "carrel.toml" in server.log
    assert server.get("/")[2] == b"before"
    (app.folder / "page.wat").write_text(guest("after"))
    manifest.write_text(good)
    until(answers(server, b"after"), "the mended app")


def test_a_broken_module_is_shown_and_the_app_stays_up(dev, tmp_path):
    app = app_of(tmp_path, "app", "before")
    server = dev(app.folder)
    (app.folder / "page.wat").write_text("(module (func")
    until(lambda: "reload_failed" in server.log, "the error")
    assert "page" in server.log
    assert server.get("/")[2] == b"before"
    (app.folder / "page.wat").write_text(guest("mended"))
    until(answers(server, b"mended"), "the mended module")


def test_a_changed_static_file_is_served(dev, tmp_path):
    app = app_of(tmp_path, "app")
    (app.folder / "static").mkdir()
    (app.folder / "static" / "a.txt").write_text("before")
    app.text += '\n[[static]]\nroute = "/static/*"\nfolder = "static"\n'
    app.write()
    server = dev(app.folder)
    assert server.get("/static/a.txt")[2] == b"before"
    (app.folder / "static" / "a.txt").write_text("after")
    until(lambda: server.get("/static/a.txt")[2] == b"after", "the new file")


def test_requests_and_what_guests_say_stand_together(dev, tmp_path):
    app = app_of(tmp_path, "app", error="the rates are old\n\x1b[2Jboo\n")
    server = dev(app.folder)
    server.get("/?secret=hush")
    until(lambda: "GET / 200" in server.log, "the request's line")
    assert "page | the rates are old\n" in server.log
    assert "\x1b" not in server.log
    assert "hush" not in server.log
    assert server.log.index("page | the rates") < server.log.index("GET / 200")


def test_a_failure_is_shown_with_its_cause(dev, tmp_path):
    app = app_of(tmp_path, "app", trap=True)
    server = dev(app.folder)
    problem = server.problem("GET", "/")[1]
    until(lambda: problem["id"] in server.log, "the failure")
    assert "unreachable" in server.log


def test_it_starts_within_a_second_once_code_is_cached(dev, tmp_path):
    app = app_of(tmp_path, "app")
    dev(app.folder)
    again = app_of(tmp_path, "again")  # an app's state belongs to one process at a time
    started = time.monotonic()
    server = dev(again.folder)
    took = time.monotonic() - started
    assert server.get("/")[0] == 200
    assert took < 5, f"{took:.1f} s; expected well under one"


def test_a_folder_without_a_manifest_is_refused_and_help_is_near(state, tmp_path):
    with pytest.raises(AssertionError, match="carrel.toml"):
        Server(["dev", tmp_path, "--port", "0", "--state", state])


def test_an_app_without_functions_starts_and_gets_them_later(dev, tmp_path):
    app = App(tmp_path / "empty", "empty")
    server = dev(app.folder)
    assert server.get("/")[0] == 404
    app.wat("page", guest("here")).route("GET /", "page")
    until(answers(server, b"here"), "the first function")
