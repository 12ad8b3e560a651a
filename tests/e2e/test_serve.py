"""`carrel serve`: what keeps it from starting, which app answers, what the logs say, how it stops."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest
from wat import ENVIRONMENT, guest

from support import CARREL, App, Server


def refused(*arguments, cwd=None, seconds=60):
    """Runs a server that must not start: what it said."""
    ended = subprocess.run(
        [str(CARREL), "serve", *map(str, arguments)],
        cwd=cwd,
        text=True,
        timeout=seconds,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert ended.returncode in (1, 2), ended.stdout
    return ended.stdout


def until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {seconds} s")


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def serve(state):
    """serve(ARGUMENT...): a server on any port, that must stop cleanly at the end."""
    running = []

    def start(*arguments, **more):
        server = Server(["serve", *arguments, "--port", "0", "--state", state], **more)
        running.append(server)
        return server

    yield start
    for server in running:
        with server:
            if server.process.poll() is None:
                assert server.stop() == 0, server.log


def app_of(folder, name, body="fine", **more):
    return App(folder / name, name).wat("page", guest(body, **more)).route("GET /", "page")


# What keeps it from starting.


def test_a_folder_that_is_not_there_is_named(state, tmp_path):
    said = refused(tmp_path / "missing", "--port", "0", "--state", state)
    assert str(tmp_path / "missing") in said


def test_nothing_to_serve_says_what_to_give(state):
    # Without folders a server is there to be deployed to, by its API.
    assert "--modules" in refused("--port", "0", "--admin", "off", "--state", state)


def test_every_problem_of_an_app_is_reported_at_once(state, tmp_path):
    app = App(tmp_path / "app", "broken")
    app.wat("garbage", "(module (func $x (result i32)))").route("GET /a", "garbage")
    app.wat("foreign", '(module (import "env" "launch" (func)) (memory (export "memory") 1) (func (export "_start")))')
    app.route("GET /b", "foreign")
    (app.folder / "cut.wasm").write_bytes(b"\0asm\1\0\0\0\1\5")
    app.module("cut", "cut.wasm").route("GET /c", "cut")
    said = refused(app.folder, "--port", "0", "--state", state)
    for word in ("garbage", "foreign", "launch", "cut"):
        assert word in said, said


def test_an_address_in_use_says_so(state, serve, tmp_path):
    app = app_of(tmp_path, "first")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused(app.folder, "--port", port, "--state", state)
        assert str(port) in said
        assert "help" in said


def test_the_port_of_another_carrel_is_in_use(state, serve, tmp_path):
    app = app_of(tmp_path, "first")
    port = serve(app.folder).port
    assert "open in another process" in refused(app.folder, "--port", "0", "--state", state)
    own = tmp_path / "own"
    assert f"port {port}: Address already in use" in refused(app.folder, "--port", port, "--state", own)
    said = refused(app.folder, "--port", "0", "--admin", f"127.0.0.1:{port}", "--state", own)
    assert "the /v1 API" in said
    assert "--admin" in said.split("help")[1]


def test_sigterm_while_an_app_is_loaded_ends_it_at_once(state, tmp_path):
    folder = wagi(tmp_path / "wagi", '[[module]]\nroute = "/"\nmodule = "loop.wat"\n')
    (folder / "loop.wat").write_text(
        '(module (memory (export "memory") 1) (func (export "_start")) (func (export "_routes") (loop $on (br $on))))'
    )
    log = tmp_path / "log"
    process = subprocess.Popen(
        [
            str(CARREL),
            "serve",
            "--modules",
            str(folder / "modules.toml"),
            "--port",
            "0",
            "--state",
            str(state),
            "--log",
            str(log),
        ],
        stdin=subprocess.DEVNULL,
    )
    until(log.exists, "taking signals")  # it is opened after them
    time.sleep(0.2)
    process.terminate()
    assert process.wait(5) == -signal.SIGTERM


@pytest.mark.parametrize(
    "arguments",
    [
        ["--listen", "nowhere"],
        ["--port", "70000"],
        ["--drain", "soon"],
        ["--max-body", "much"],
        ["--env", "=x"],
        ["--log-level", "loud"],
        ["--tls-cert", "cert.pem"],
        ["--admin", "3001"],
        ["--host", "app"],
        ["--host", "nobody=app.example"],
        ["--access-log", "/nowhere/at/all/log"],
    ],
)
def test_a_wrong_option_is_refused(arguments, state, tmp_path):
    app = app_of(tmp_path, "app")
    assert arguments[0].strip("-") in refused(app.folder, "--state", state, *arguments) or arguments[1] in refused(
        app.folder, "--state", state, *arguments
    )


def test_two_apps_of_one_name_are_refused(state, tmp_path):
    one, two = app_of(tmp_path / "1", "twin"), app_of(tmp_path / "2", "twin")
    assert "twin" in refused(one.folder, two.folder, "--port", "0", "--state", state)


# Which app answers.


def test_one_app_answers_to_every_host(serve, tmp_path):
    server = serve(app_of(tmp_path, "solo", "solo here").folder)
    for host in ("solo.localhost", "whatever.example", "127.0.0.1"):
        assert server.get("/", headers={"Host": host})[::2] == (200, b"solo here")


def test_several_apps_answer_to_their_own_hosts(serve, tmp_path):
    one, two = app_of(tmp_path, "one", "app one"), app_of(tmp_path, "two", "app two")
    server = serve(one.folder, two.folder, "--host", "two=Two.Example")
    assert server.get("/", headers={"Host": "one.localhost"})[2] == b"app one"
    assert server.get("/", headers={"Host": f"ONE.localhost:{server.port}"})[2] == b"app one"
    assert server.get("/", headers={"Host": "two.localhost"})[2] == b"app two"
    assert server.get("/", headers={"Host": "two.example:80"})[2] == b"app two"
    assert server.problem("GET", "/", headers={"Host": "three.localhost"})[0] == 404


def test_variables_come_from_options_files_and_the_manifest(serve, tmp_path):
    app = App(tmp_path / "app", "vars")
    app.wat("env", ENVIRONMENT, 'config = { FROM_MANIFEST = "m", BOTH = "manifest" }').route("GET /", "env")
    (tmp_path / "env").write_text("# comment\n\nFROM_FILE='f f'\r\n")
    server = serve(app.folder, "-e", "FROM_OPTION=o=o", "--env", "BOTH=option", "--env-file", tmp_path / "env")
    lines = server.get("/")[2].decode().split("\n")
    assert {"FROM_OPTION=o=o", "FROM_FILE=f f", "FROM_MANIFEST=m"} <= set(lines)
    assert next(line for line in lines if line.startswith("BOTH=")) == "BOTH=option"


# wagi.


def wagi(folder, text):
    folder.mkdir(exist_ok=True)
    (folder / "modules.toml").write_text(text)
    return folder


def test_an_unchanged_modules_toml_is_served(serve, tmp_path):
    folder = wagi(
        tmp_path / "wagi",
        '[[module]]\nroute = "/"\nmodule = "page.wat"\n[[module]]\nroute = "/deep/..."\nmodule = "env.wat"\n',
    )
    (folder / "page.wat").write_text(guest("the page"))
    (folder / "env.wat").write_text(ENVIRONMENT)
    server = serve("--modules", folder / "modules.toml")
    assert server.get("/")[2] == b"the page"
    assert server.get("/healthz")[2].strip() == b"OK"
    assert b"X_MATCHED_ROUTE=/deep/..." in server.get("/deep/down?x=1")[2]
    assert server.get("/other")[0] == 404


def test_declared_routes_are_tried_last_first_and_before_the_modules_own(serve, tmp_path):
    folder = wagi(tmp_path / "wagi", '[[module]]\nroute = "/app/..."\nmodule = "app.wat"\n')
    (folder / "app.wat").write_text(
        guest(
            "own",
            entrypoints={"hello": "hello", "early": "early", "late": "late"},
            routes=[("/hello", "hello"), ("/x/...", "early"), ("/x/y", "late")],
        )
    )
    server = serve("-c", "modules.toml", cwd=folder)
    assert server.get("/app/hello")[2] == b"hello"
    assert server.get("/app/x/y")[2] == b"late"
    assert server.get("/app/x/z")[2] == b"early"
    assert server.get("/app/else")[2] == b"own"


def test_routes_that_name_nothing_keep_it_from_starting(state, tmp_path):
    folder = wagi(tmp_path / "wagi", '[[module]]\nroute = "/app/..."\nmodule = "app.wat"\n')
    (folder / "app.wat").write_text(guest("own", routes=[("no-slash", "hello")]))
    assert "no-slash" in refused("--modules", folder / "modules.toml", "--port", "0", "--state", state)
    (folder / "app.wat").write_text(guest("own", routes=[("/hello", "nowhere")]))
    assert "nowhere" in refused("--modules", folder / "modules.toml", "--port", "0", "--state", state)


# What the logs say.


def records(server):
    return [json.loads(line) for line in list(server.lines) if line.startswith("{")]


def test_a_failures_id_leads_to_its_cause_and_to_what_the_guest_said(serve, tmp_path):
    app = app_of(tmp_path, "fails", error="the till is on fire\n", trap=True)
    server = serve(app.folder)
    status, problem = server.problem("GET", "/")
    assert status == 502
    assert "till" not in json.dumps(problem)
    mine = until(
        lambda: [r for r in records(server) if r.get("id") == problem["id"] and r["event"] == "turn_failed"],
        "the record of the failure",
    )
    assert mine[0]["code"] == problem["code"] == "guest_trapped"
    assert "unreachable" in mine[0]["message"]
    said = [r for r in records(server) if r["event"] == "guest_stderr" and r["id"] == problem["id"]]
    assert [r["text"] for r in said] == ["the till is on fire"]


def test_the_access_log_has_a_line_a_request_and_no_secrets(serve, tmp_path):
    log = tmp_path / "access.log"
    server = serve(app_of(tmp_path, "app").folder, "--access-log", log)

    def lines_of(count):
        return until(
            lambda: (got := log.read_text().splitlines() if log.exists() else []) and len(got) == count and got,
            f"{count} lines",
        )

    server.get("/?token=hush", headers={"Authorization": "Bearer hush", "Cookie": "hush"})
    lines_of(1)  # shards write a line each in no order of requests
    server.get("/missing")
    lines = lines_of(2)
    assert "hush" not in "".join(lines)
    first, second = map(json.loads, lines)
    assert (first["method"], first["path"], first["status"]) == ("GET", "/", 200)
    assert (second["path"], second["status"]) == ("/missing", 404)


def test_sighup_opens_the_logs_again(serve, tmp_path):
    log = tmp_path / "access.log"
    server = serve(app_of(tmp_path, "app").folder, "--access-log", log)
    server.get("/")
    until(lambda: log.read_text(), "a line")
    log.rename(tmp_path / "access.log.1")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "reloaded" in server.log, "the reload")
    server.get("/")
    until(lambda: log.exists() and log.read_text(), "a line in the new file")


# Changing and stopping.


def test_sighup_loads_apps_again_and_a_broken_one_stays_as_it_was(serve, tmp_path):
    app = app_of(tmp_path, "app", "before")
    server = serve(app.folder)
    assert server.get("/")[2] == b"before"
    (app.folder / "page.wat").write_text(guest("after"))
    assert server.get("/")[2] == b"before"
    server.process.send_signal(signal.SIGHUP)
    until(lambda: server.get("/")[2] == b"after", "the new version")
    (app.folder / "carrel.toml").write_text("[app\n")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "reload_failed" in server.log, "the error")
    assert server.get("/")[2] == b"after"


def test_sigterm_lets_a_request_finish_and_refuses_new_connections(serve, tmp_path):
    app = App(tmp_path / "app", "slow")
    app.wat("slow", guest("at last", sleep_ms=1500)).route("GET /", "slow")
    server = serve(app.folder)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(server.get("/")))
    asking.start()
    time.sleep(0.3)
    server.process.send_signal(signal.SIGTERM)
    asking.join(20)
    assert [a[::2] for a in answers] == [(200, b"at last")]
    assert server.process.wait(20) == 0
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", server.port), timeout=2)


def test_the_drain_time_bounds_how_long_it_takes_to_stop(serve, tmp_path):
    app = App(tmp_path / "app", "slow")
    limits = 'limits = { time = "60s" }'
    app.wat("slow", guest("never", sleep_ms=50_000), limits).route("GET /", "slow")
    server = serve(app.folder, "--drain", "500ms")
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/")
    time.sleep(0.3)
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 10


def test_a_second_signal_ends_it_at_once(serve, tmp_path):
    app = App(tmp_path / "app", "slow")
    app.wat("slow", guest("never", sleep_ms=50_000), 'limits = { time = "60s" }').route("GET /", "slow")
    server = serve(app.folder, "--drain", "60s")
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/")
    time.sleep(0.3)
    server.process.send_signal(signal.SIGINT)
    until(lambda: "stopping" in server.log, "the first signal")
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(10) == 130


def test_the_number_of_shards_is_an_option(serve, tmp_path):
    server = serve(app_of(tmp_path, "app").folder, "--shards", "3")
    tasks = Path(f"/proc/{server.process.pid}/task")
    # A thread takes its name when it first runs.
    until(lambda: sum(is_shard(task) for task in tasks.iterdir()) == 3, "three shards")


def test_shards_are_pinned_where_each_has_a_processor(serve, tmp_path):
    server = serve(app_of(tmp_path, "app").folder, "--shards", "1")
    tasks = Path(f"/proc/{server.process.pid}/task")
    until(
        lambda: any(is_shard(task) and len(os.sched_getaffinity(int(task.name))) == 1 for task in tasks.iterdir()),
        "a pinned shard",
    )


def is_shard(task):
    return (task / "comm").read_text().startswith("shard-")


def test_https_is_served_from_certificate_files(serve, tmp_path):
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    server = serve(
        app_of(tmp_path, "app", "over TLS").folder,
        "--tls-cert",
        tmp_path / "cert.pem",
        "--tls-key",
        tmp_path / "key.pem",
    )
    trust = ssl.create_default_context(cafile=tmp_path / "cert.pem")
    connection = http.client.HTTPSConnection("localhost", server.port, context=trust, timeout=10)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"over TLS"
    connection.close()


def test_a_key_that_is_not_there_is_named(state, tmp_path):
    app = app_of(tmp_path, "app")
    said = refused(
        app.folder, "--port", "0", "--state", state, "--tls-cert", tmp_path / "c.pem", "--tls-key", tmp_path / "k.pem"
    )
    assert "c.pem" in said


@pytest.mark.parametrize("command", ["serve", "dev"])
def test_the_nodes_key_leaves_the_environment(tmp_path, command):
    app = App(tmp_path / "app", "shop").wat("page", guest()).route("GET /", "page")
    key = "5a" * 32
    arguments = [command, app.folder, "--port", "0", "--state", tmp_path / "state"]
    with Server(arguments, env={"CARREL_NODE_KEY": key}) as server:
        try:
            assert key.encode() not in Path(f"/proc/{server.process.pid}/environ").read_bytes()
        except PermissionError:
            assert os.geteuid() != 0, "no other user of the machine may look"
        assert not (tmp_path / "state" / "node.key").exists()
        assert server.stop() == 0


EIGHT_MEMORIES = f"""(component (core module $m (memory 1)) {"(core instance (instantiate $m))" * 8}
  (core module $r (func (export "run") (result i32) (i32.const 0)))
  (core instance $i (instantiate $r))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.3" (instance $exports)))"""


def test_a_component_too_large_for_a_tenants_share_is_refused(state, tmp_path):
    (tmp_path / "eight.wat").write_text(EIGHT_MEMORIES)
    app = App(tmp_path / "app").module("eight", tmp_path / "eight.wat").route("/*", "eight")
    # So many shards that a tenant has less than four places on each, on any machine.
    said = refused(app.folder, "--shards", "64", "--port", "0", "--state", state)
    assert 'module "eight"' in said
    assert "takes 4 places" in said
    assert "carrel doctor" in said
