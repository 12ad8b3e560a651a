"""libcarrel from C, as an application uses it: small programs, built against the header and the library."""

import json
import os
import re
import subprocess

import pytest

from support import CARREL, GUESTS, ROOT, App

BUILD = CARREL.parents[1]
LIBRARY = BUILD / "lib"
SOURCES = ROOT / "tests/embed"


class Programs:
    """Programs of tests/embed, built once each; the library keeps compiled code in a folder of the test's."""

    def __init__(self, work):
        self.work = work
        self.built = {}

    def build(self, name):
        if name not in self.built:
            out = self.work / name.replace(".", "-")
            compiler = "clang++-19" if name.endswith(".cc") else "clang-19"
            subprocess.run(
                [compiler, "-Wall", "-Wextra", "-Werror", "-g", "-pthread", f"-I{ROOT}/include", "-o", out,
                 SOURCES / name, f"-L{LIBRARY}", "-lcarrel", f"-Wl,-rpath,{LIBRARY}"],
                check=True,
            )  # fmt: skip
            self.built[name] = out
        return self.built[name]

    def run(self, name, *arguments, env=None, timeout=60):
        """(exit status, lines on standard output)."""
        done = subprocess.run(
            [self.build(name), *map(str, arguments)],
            stdout=subprocess.PIPE,
            text=True,
            timeout=timeout,
            env={**os.environ, "XDG_CACHE_HOME": str(self.work / "cache"), **(env or {})},
        )
        return done.returncode, done.stdout.splitlines()


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    return Programs(tmp_path_factory.mktemp("programs"))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    app = App(tmp_path_factory.mktemp("shop"), "shop")
    app.module("act", GUESTS / "hook.wasm", 'limits = { memory = "4MiB", cpu = "100ms", time = "400ms" }')
    (app.folder / "cart.json").write_text(json.dumps({"type": "object", "required": ["total"]}))

    def point(name, act, more="", **config):
        pairs = ", ".join(f"{key} = {json.dumps(value)}" for key, value in {"ACT": act, **config}.items())
        app.text += f'\n[[hook]]\npoint = "{name}"\n{more}\n[[hook.bind]]\nmodule = "act"\nname = "one"\n'
        app.text += f'tenant = "merchant-17"\nconfig = {{ {pairs} }}\n'

    point("echo", "echo", 'combine = "first"')
    point("add", "add", 'combine = "chain"\ninput = "cart.json"', NAME="gift")
    for name in ("price", "hidden", "garbage", "huge", "refusing", "hangs", "later", "again", "stuck"):
        allowed = "" if name == "hidden" else f'\nfunctions = ["{name}"]'
        point(f"ask-{name}", "app", f'combine = "first"\non_failure = "fail"\ndeadline = "2s"{allowed}', NAME=name)
    for act in ("deep", "huge", "loop", "sleep", "trap", "exit", "memory"):
        point(act, act, 'combine = "first"\non_failure = "fail"\ndeadline = "300ms"', ANSWER="1")
    app.write()
    return app.folder


def test_a_c_program_calls_a_point_and_gets_the_answer(programs, shop):
    status, lines = programs.run("first.c", shop, "add", '{"total": 1}')
    assert status == 0
    assert json.loads(lines[0]) == {"total": 1, "gift": 1}
    run = json.loads(lines[1])["runs"][0]
    assert (run["binding"], run["tenant"], run["status"]) == ("one", "shop/merchant-17", "answered")


def test_an_input_that_the_point_does_not_take_is_an_error_with_the_place(programs, shop):
    status, lines = programs.run("first.c", shop, "add", '{"sum": 1}')
    assert status == 1
    assert lines[0].startswith("hook_input: ")
    assert "total" in json.loads(lines[1])["problems"][0]["message"]


@pytest.mark.parametrize(
    ("act", "code"),
    [
        ("deep", "hook_answer"),
        ("huge", "hook_answer"),
        ("loop", "guest_cpu_limit"),
        ("sleep", "hook_late"),
        ("trap", "guest_trapped"),
        ("exit", "guest_exited"),
        ("memory", "guest_trapped"),
    ],
)
def test_a_module_that_does_badly_is_the_calls_error(programs, shop, act, code):
    status, lines = programs.run("first.c", shop, act, "{}")
    assert (status, lines[0].split(":")[0]) == (1, code)
    assert json.loads(lines[-1])["binding"] == "one"


def test_a_folder_that_cannot_be_opened_says_why(programs, tmp_path):
    status, lines = programs.run("first.c", tmp_path / "nowhere", "x", "{}")
    assert (status, lines[0].split(":")[0]) == (1, "not_found")
    app = App(tmp_path, "keeper")
    app.module("keep", GUESTS / "hook.wasm", 'grants = { kv = ["hooks:rw"] }')
    app.text += '\n[[hook]]\npoint = "x"\ncombine = "first"\n[[hook.bind]]\nmodule = "keep"\n'
    app.write()
    status, lines = programs.run("first.c", app.folder, "x", "{}")
    assert (status, lines[0].split(":")[0]) == (1, "needs_server")


def test_the_library_exports_what_the_header_declares_and_nothing_else():
    text = subprocess.run(["nm", "-D", "--defined-only", LIBRARY / "libcarrel.so"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout  # fmt: skip
    exported = {line.split()[2].split("@")[0] for line in text.splitlines()} - {"CARREL_1"}
    header = (ROOT / "include/carrel/carrel.h").read_text()
    declared = set(re.findall(r"CARREL_API [^;]*?\b(carrel_\w+)\(", header))
    private = {"carrel_compile_child"}  # carrel-compile's
    assert exported == declared | private


@pytest.mark.parametrize(
    "case", ["handles", "arguments", "threads", "drain", "forks", "functions", "async"]
)  # fmt: skip
def test_what_an_application_must_not_do_harms_nobody(programs, shop, case):
    status, lines = programs.run("hostile.c", case, shop)
    assert (status, lines) == (0, [])


def test_a_process_may_end_with_calls_in_flight(programs, shop):
    for _ in range(20):
        assert programs.run("hostile.c", "leave", shop) == (0, [])


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("installed")
    subprocess.run(["cmake", "--install", BUILD, "--component", "embed", "--prefix", prefix], check=True)
    return prefix


def test_a_project_finds_the_package_and_uses_it_from_cpp(installed, shop, tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run(
        ["cmake", "-S", SOURCES / "consumer", "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={installed}",
         "-DCMAKE_CXX_COMPILER=clang++-19", "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror"],
        check=True,
    )  # fmt: skip
    subprocess.run(["cmake", "--build", tmp_path / "build"], check=True)
    done = subprocess.run([tmp_path / "build/consumer", shop], stdout=subprocess.PIPE, text=True, env=environment)
    assert (done.returncode, done.stdout) == (0, "fine\n")


def test_pkg_config_finds_it_for_c(installed, shop, tmp_path):
    environment = {**os.environ, "PKG_CONFIG_PATH": str(installed / "lib/pkgconfig"), "XDG_CACHE_HOME": str(tmp_path)}
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "carrel"], check=True, text=True,
                           stdout=subprocess.PIPE, env=environment).stdout.split()  # fmt: skip
    program = tmp_path / "first"
    subprocess.run(["clang-19", "-o", program, SOURCES / "first.c", *flags], check=True)
    done = subprocess.run([program, shop, "echo", "{}"], stdout=subprocess.PIPE, text=True,
                          env={**environment, "LD_LIBRARY_PATH": str(installed / "lib")})  # fmt: skip
    assert done.stdout.splitlines()[0] == "{}"
