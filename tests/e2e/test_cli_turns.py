"""`carrel invoke` and `carrel test`: turns without a server."""

import json
import shutil

import pytest
from wat import ENVIRONMENT, guest

from support import App

FAILING = '(module (memory (export "memory") 1) (func $deep unreachable) (func (export "_start") call $deep))'
LOOP = '(module (memory (export "memory") 1) (func (export "_start") (loop br 0)))'


@pytest.fixture
def app(tmp_path):
    made = App(tmp_path / "app", "shop")
    made.wat("fine", guest("fine", error="noted")).route("GET /fine", "fine")
    made.wat("env", ENVIRONMENT, 'config = { COLOUR = "red" }').route("/env/*", "env")
    made.wat("broken", FAILING).route("GET /broken", "broken")
    made.wat("loop", LOOP, 'limits = { cpu = "20ms" }').route("GET /loop", "loop")
    return made


# --- invoke ----------------------------------------------------------------------------------------


def test_invoke_prints_the_body_and_what_it_cost(run_carrel, app):
    done = run_carrel("invoke", app.folder, "--path", "/fine")
    assert (done.returncode, done.stdout) == (0, "fine")
    assert "noted" in done.stderr
    assert "status 200" in done.stderr and "memory 128KiB" in done.stderr and "CPU" in done.stderr


def test_invoke_can_print_the_head(run_carrel, app):
    done = run_carrel("invoke", app.folder, "--path", "/fine", "-i")
    head, _, body = done.stdout.partition("\n\n")
    assert head.splitlines()[0] == "200"
    assert "content-type: text/plain" in head
    assert body == "fine"


def test_invoke_as_json(run_carrel, app):
    done = run_carrel("invoke", app.folder, "--path", "/fine", "--json")
    answer = json.loads(done.stdout)
    assert answer["ok"] and answer["status"] == 200 and answer["body"] == "fine" and answer["stderr"] == "noted\n"
    assert answer["memory_peak_bytes"] == 2 * 65536
    assert answer["wall_us"] >= 0 and answer["cpu_us"] >= 0


def test_invoke_routes_as_the_server_does(run_carrel, app):
    done = run_carrel("invoke", app.folder, "--path", "/env/a%20b?x=1", "--header", "X-Thing: it", "--env", "EXTRA=1")
    lines = done.stdout.splitlines()
    for line in (
        "REQUEST_METHOD=GET",
        "QUERY_STRING=x=1",
        "HTTP_X_THING=it",
        "COLOUR=red",
        "EXTRA=1",
        "PATH_INFO=/a b",
    ):
        assert line in lines, done.stdout


def test_invoke_sends_data_from_text_file_and_input(run_carrel, tmp_path, guests):
    (tmp_path / "body").write_text("from a file")
    probe = guests("probe")
    for data, given, expected in (
        ("as text", "", "as text"),
        (f"@{tmp_path}/body", "", "from a file"),
        ("-", "from input", "from input"),
    ):
        done = run_carrel("invoke", probe, "--path", "/?echo", "--data", data, input=given)
        assert done.stdout == expected, done.stderr


def test_invoke_with_an_event_that_is_no_request(run_carrel, app):
    done = run_carrel(
        "invoke",
        app.folder,
        "--module",
        "env",
        "--type",
        "com.example.order",
        "--subject",
        "7",
        "--source",
        "/test",
        "--data",
        "{}",
    )
    assert done.returncode == 0, done.stderr
    assert "CE_TYPE=com.example.order" in done.stdout.splitlines()
    assert "REQUEST_METHOD" not in done.stdout


def test_invoke_of_a_guest_that_fails(run_carrel, app):
    done = run_carrel("invoke", app.folder, "--path", "/broken", "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 1
    assert answer["status"] == 502 and answer["error"]["code"] == "guest_trapped"
    assert "deep" in answer["error"]["message"]
    assert "unreachable" not in answer["body"]


def test_invoke_of_what_is_not_there(run_carrel, app, tmp_path):
    for arguments in (
        [tmp_path / "missing"],
        [tmp_path / "missing.wasm"],
        [app.folder, "--path", "/nothing"],
        [app.folder, "--module", "fnie"],
    ):
        done = run_carrel("invoke", *arguments)
        assert done.returncode == 1, arguments
        assert done.stderr.startswith("carrel: ")
    assert 'did you mean "fine"' in done.stderr
    assert run_carrel("invoke").returncode == 2
    assert run_carrel("invoke", app.folder, "--header", "no colon").returncode == 2


def test_what_invoke_records_is_a_case_that_passes(run_carrel, app):
    recorded = app.folder / "tests/recorded"
    done = run_carrel("invoke", app.folder, "--path", "/fine", "--header", "x: \"'\\", "--record", recorded)
    assert done.returncode == 0, done.stderr
    assert (recorded / "case.toml").is_file()
    tested = run_carrel("test", app.folder)
    assert tested.returncode == 0, tested.stdout
    assert tested.stdout.endswith("1 passed, 0 failed\n")
    again = run_carrel("invoke", app.folder, "--path", "/fine", "--record", recorded)
    assert again.returncode == 1


@pytest.fixture
def keeper(guests, tmp_path):
    """An app whose module does to its stores what its event's body says."""
    made = App(tmp_path / "keeper", "keeper")
    made.module("keeper", guests("keeper"), 'grants = { kv = ["notes:rw"], counters = ["stock:rw"] }')
    return made.route("POST /", "keeper").folder


def test_what_invoke_stores_is_gone_afterwards(run_carrel, keeper):
    assert run_carrel("invoke", keeper, "--data", "write /kv/notes/a x").stdout == "write /kv/notes/a: ok\n"
    assert run_carrel("invoke", keeper, "--data", "read /kv/notes/a").stdout == "read /kv/notes/a: ENOENT\n"


def test_invoke_keeps_what_it_stores_where_it_is_told(run_carrel, keeper, tmp_path):
    store = ("--store", tmp_path / "kept")
    assert run_carrel("invoke", keeper, *store, "--data", "write /kv/notes/a x").returncode == 0
    assert run_carrel("invoke", keeper, *store, "--data", "read /kv/notes/a").stdout == "read /kv/notes/a: x\n"
    assert run_carrel("store", "check", tmp_path / "kept").returncode == 0
    both = run_carrel("invoke", keeper, *store, "--record", tmp_path / "recorded", "--data", "x")
    assert both.returncode == 2 and "--store" in both.stderr


def test_what_invoke_stores_is_recorded_as_effects(run_carrel, keeper):
    folder = keeper / "tests/recorded"
    script = "write /kv/notes/a x\nfill /kv/notes/big 3000\nwrite /counters/stock/mug +3"
    assert run_carrel("invoke", keeper, "--data", script, "--record", folder).returncode == 0
    written = (folder / "case.toml").read_text()
    assert '"notes/a" = "x"' in written and '"stock/mug" = 3' in written
    assert run_carrel("test", keeper).returncode == 0
    (folder / "case.toml").write_text(written.replace('"notes/a" = "x"', '"notes/aa" = "x"'))
    done = run_carrel("test", keeper)
    assert done.returncode == 1
    assert "kv notes/aa:\n      - x\n      + (not there; notes/a is)" in done.stdout


def test_a_recorded_case_of_a_module_alone_carries_it(run_carrel, guests, tmp_path):
    data = bytes(range(256))
    (tmp_path / "data").write_bytes(data)
    done = run_carrel(
        "invoke",
        guests("probe"),
        "--path",
        "/?echo",
        "--data",
        f"@{tmp_path}/data",
        "--record",
        tmp_path / "case",
        text=False,
        input=b"",
    )
    assert done.stdout == data
    assert run_carrel("test", tmp_path / "case").returncode == 0


# --- test ------------------------------------------------------------------------------------------


def case(app, name, event, expect, more=""):
    folder = app.folder / "tests" / name
    folder.mkdir(parents=True)
    (folder / "case.toml").write_text(f'[case]\ndescription = "{name}"\n{more}\n[event]\n{event}\n[expect]\n{expect}\n')


def test_a_difference_is_explained(run_carrel, app):
    case(app, "good", 'path = "/fine"', 'status = 200\nbody = "fine"', 'module = "fine"')
    case(
        app,
        "bad",
        'path = "/fine"',
        'status = 201\nheaders = { content-type = "text/html" }\nbody = "other"\nstderr_contains = ["never"]',
        'module = "fine"',
    )
    done = run_carrel("test", app.folder)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "1 passed, 1 failed"
    for line in ("- 201", "+ 200", "- text/html", "+ text/plain", "- never", "+ noted"):
        assert f"      {line}" in done.stdout
    assert "- other" in done.stdout and "+ fine" in done.stdout
    assert "ok    app/good" in done.stdout


def test_failures_of_guests_can_be_expected(run_carrel, app):
    case(
        app,
        "trap",
        'path = "/broken"',
        'status = 502\nheaders = { content-type = "application/problem+json" }',
        'module = "broken"',
    )
    case(app, "loop", 'path = "/loop"', "status = 504", 'module = "loop"')
    case(app, "unexpected", 'path = "/broken"', "", 'module = "broken"')
    done = run_carrel("test", app.folder, "--json")
    results = {each["name"].split("/")[1]: each for each in json.loads(done.stdout)["cases"]}
    assert results["trap"]["passed"] and results["loop"]["passed"]
    assert not results["unexpected"]["passed"]
    assert done.returncode == 1


def test_a_case_is_named_after_its_app_from_within_it(run_carrel, app):
    case(app, "one", 'path = "/fine"', "status = 200", 'module = "fine"')
    done = run_carrel("test", ".", "--json", cwd=app.folder)
    assert [each["name"] for each in json.loads(done.stdout)["cases"]] == [f"{app.folder.name}/one"]


# Ends well only within a minute of 2001-02-03T04:05:06Z.
IN_2001 = """(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $seconds i64)
    (drop (call $time (i32.const 0) (i64.const 1) (i32.const 0)))
    (local.set $seconds (i64.div_u (i64.load (i32.const 0)) (i64.const 1000000000)))
    (if (i64.gt_u (i64.sub (local.get $seconds) (i64.const 981173106)) (i64.const 60)) (then unreachable))))"""


def test_a_cases_time_is_what_the_guests_clock_starts_at(run_carrel, app):
    app.wat("in2001", IN_2001)
    event = 'type = "com.example.tick"\n'
    case(app, "then", event + 'time = "2001-02-03T04:05:06Z"', "exit = 0", 'module = "in2001"')
    case(app, "now", event, "exit = 0", 'module = "in2001"')
    case(app, "never", event + 'time = "2001-02-30T04:05:06Z"', "exit = 0", 'module = "in2001"')
    done = run_carrel("test", app.folder, "--json")
    results = {each["name"].split("/")[1]: each for each in json.loads(done.stdout)["cases"]}
    assert [name for name, each in results.items() if each["passed"]] == ["then"]
    assert "2026-01-02T03:04:05Z" in "".join(results["never"]["differences"])


def test_a_filter_narrows_the_run(run_carrel, app):
    case(app, "one", 'path = "/fine"', "status = 200", 'module = "fine"')
    case(app, "two", 'path = "/fine"', "status = 500", 'module = "fine"')
    assert run_carrel("test", app.folder, "--filter", "one").stdout.endswith("1 passed, 0 failed\n")
    assert run_carrel("test", app.folder, "--filter", "three").returncode == 2


def test_variants_are_run_beside(run_carrel, guests, tmp_path):
    app = App(tmp_path / "app")
    shutil.copy(guests("probe"), app.folder)
    app.module("probe", "probe.wasm").route("/probe", "probe")
    case(
        app,
        "echo",
        'method = "POST"\npath = "/probe?echo"\nbody = "some text"',
        'body = "some text"',
        'module = "probe"',
    )
    done = run_carrel("test", app.folder, "--variants")
    assert done.returncode == 0, done.stdout
    for variant in ("cold", "suspended", "tight"):
        assert f"[{variant}]" in done.stdout
    assert done.stdout.endswith("4 passed, 0 failed\n")


@pytest.mark.parametrize("text", ["", "[case", "[event]\nnonsense = 1\n", '[case]\nmodule = "nobody"\n'])
def test_a_case_that_cannot_be_read_has_failed(run_carrel, app, text):
    folder = app.folder / "tests/bad"
    folder.mkdir(parents=True)
    (folder / "case.toml").write_text(text)
    done = run_carrel("test", app.folder)
    assert done.returncode == 1
    assert done.stdout.endswith("0 passed, 1 failed\n")
    assert "case.toml" in done.stdout


def test_a_folder_without_cases_is_an_error(run_carrel, app, tmp_path):
    done = run_carrel("test", app.folder)
    assert done.returncode == 1 and "--record" in done.stderr
    assert run_carrel("test", tmp_path / "missing").returncode == 1
