"""`carrel new`: every template is made, built by its one command, tested and run."""

import json
import os
import stat
import subprocess

import pytest

COMPONENTS = ["c-component", "javascript", "python", "rust-component", "typescript"]
LANGUAGES = sorted(["assemblyscript", "c", "go", "rust", "zig", *COMPONENTS])

# What a build script is given when the toolchain is set up by ./dev; see guest_env in tools/dev/lib.sh.
VARIABLES = {
    "assemblyscript": "CARREL_ASC",
    "c": "CARREL_WASM_CC",
    "c-component": "CARREL_WIT_TOOLS",
    "go": "GO",
    "javascript": "CARREL_COMPONENTS_HOME",
    "python": "CARREL_COMPONENTIZE_PY",
    "rust": "CARREL_WCARGO",
    "rust-component": "CARREL_WIT_TOOLS",
    "typescript": "CARREL_COMPONENTS_HOME",
    "zig": "CARREL_ZIG",
}


def toolchain_of(run_carrel, language):
    listed = json.loads(run_carrel("new", "--list", "--json").stdout)
    return next(each for each in listed if each["name"] == language)


def test_every_template_is_listed(run_carrel):
    listed = json.loads(run_carrel("new", "--list", "--json").stdout)
    assert sorted(each["name"] for each in listed) == LANGUAGES
    for each in listed:
        assert each["toolchain"] == "found" or each["help"]
    assert all(name in run_carrel("new", "--list").stdout for name in LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_template_builds_and_passes_its_tests(run_carrel, tmp_path, language):
    made = run_carrel("new", "my-app", "--template", language, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    folder = tmp_path / "my-app"
    assert "./build.sh" in made.stdout and "carrel test" in made.stdout
    assert stat.S_IMODE((folder / "build.sh").stat().st_mode) & 0o111 == 0o111
    assert 'name = "my-app"' in (folder / "carrel.toml").read_text()
    for path in folder.rglob("*"):
        assert path.is_dir() or b"{{name}}" not in path.read_bytes(), path

    toolchain = toolchain_of(run_carrel, language)
    if toolchain["toolchain"] != "found" and os.environ.get("CI") != "true":
        pytest.skip(f"no toolchain for {language}: {toolchain['help']}")
    built = subprocess.run(["./build.sh"], cwd=folder, capture_output=True, text=True, timeout=600)
    assert built.returncode == 0, built.stdout + built.stderr

    tested = run_carrel("test", ".", cwd=folder, timeout=200)  # an engine inside takes long to compile
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert tested.stdout.splitlines()[-1] == "2 passed, 0 failed"
    answer = run_carrel("invoke", ".", "--path", "/hello?name=Grace%20Hopper", cwd=folder)
    assert answer.stdout == "Hello, Grace Hopper!\n"
    ran = run_carrel("run", "build/hello.wasm", input="Alan", cwd=folder)
    if language in COMPONENTS:  # of wasi:http, which is no command
        assert ran.returncode == 1 and "wasi:cli/run" in ran.stderr
    else:
        assert ran.returncode == 0, ran.stderr


def test_the_toolchains_known_are_those_of_the_templates():
    assert sorted(VARIABLES) == LANGUAGES


@pytest.mark.parametrize(
    "arguments",
    [
        ["new"],
        ["new", "app"],
        ["new", "app", "--template", "cobol"],
        ["new", "Bad Name", "--template", "c"],
        ["new", "..", "--template", "c"],
        ["new", "-x", "--template", "c"],
    ],
)
def test_wrong_use_makes_nothing(run_carrel, tmp_path, arguments):
    done = run_carrel(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "help" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_mistyped_template_is_answered_with_the_nearest(run_carrel, tmp_path):
    done = run_carrel("new", "app", "--template", "rsut", cwd=tmp_path)
    assert 'did you mean "rust"' in done.stderr


def test_a_folder_that_is_not_empty_is_left_alone(run_carrel, tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app/mine").write_text("mine")
    done = run_carrel("new", "app", "--template", "c", cwd=tmp_path)
    assert done.returncode == 1
    assert [path.name for path in (tmp_path / "app").iterdir()] == ["mine"]
    (tmp_path / "file").write_text("")
    assert run_carrel("new", "file", "--template", "c", cwd=tmp_path).returncode == 1
    (tmp_path / "dangling").symlink_to(tmp_path / "elsewhere")
    assert run_carrel("new", "dangling", "--template", "c", cwd=tmp_path).returncode == 1
    assert not (tmp_path / "elsewhere").exists()


def test_an_empty_folder_is_taken(run_carrel, tmp_path):
    (tmp_path / "app").mkdir()
    done = run_carrel("new", "app", "--template", "c", "--json", cwd=tmp_path)
    assert json.loads(done.stdout) == {"folder": "app", "template": "c"}
    assert (tmp_path / "app/carrel.toml").is_file()
