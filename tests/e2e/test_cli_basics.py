"""Help, suggestions, completion, versions, the state folder."""

import json
import shutil
import stat
import subprocess

import pytest

COMMANDS = [
    "new",
    "dev",
    "run",
    "invoke",
    "test",
    "serve",
    "deploy",
    "versions",
    "diff",
    "activate",
    "rollback",
    "apps",
    "tenant",
    "token",
    "audit",
    "pull",
    "push",
    "sign",
    "verify",
    "check",
    "inspect",
    "logs",
    "kv",
    "counter",
    "blob",
    "secret",
    "hook",
    "store",
    "doctor",
    "completion",
    "help",
    "version",
]


def test_without_a_command_it_shows_what_there_is(run_carrel):
    done = run_carrel()
    assert done.returncode == 2
    assert done.stdout == ""
    assert "carrel new hello" in done.stderr


def test_help_lists_every_command_and_none_that_is_hidden(run_carrel):
    done = run_carrel("help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout
    assert "compile-module" not in done.stdout
    assert run_carrel("--help").stdout == done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example(run_carrel, command):
    done = run_carrel("help", command)
    assert done.returncode == 0, done.stderr
    assert f"usage: carrel {command}" in done.stdout
    assert "examples:" in done.stdout
    assert run_carrel(command, "--help").stdout == done.stdout


@pytest.mark.parametrize(("typed", "meant"), [("rnu", "run"), ("insepct", "inspect"), ("versoin", "version")])
def test_a_mistyped_command_is_answered_with_the_nearest(run_carrel, typed, meant):
    done = run_carrel(typed)
    assert done.returncode == 2
    assert f'did you mean "{meant}"' in done.stderr


def test_what_is_near_nothing_gets_no_guess(run_carrel):
    done = run_carrel("xyzzyxyzzy\x1b[31m")
    assert done.returncode == 2
    assert "did you mean" not in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [["version", "--jsn"], ["inspect", "--jsn", "x"], ["run", "--invok", "f", "x.wasm"]]
)
def test_a_mistyped_option_is_answered_with_the_nearest(run_carrel, arguments):
    done = run_carrel(*arguments)
    assert done.returncode == 2
    assert "did you mean" in done.stderr


def test_arguments_too_many_are_wrong_use(run_carrel):
    done = run_carrel("version", "now")
    assert done.returncode == 2
    assert '"now"' in done.stderr


def test_version(run_carrel):
    text, as_json = run_carrel("version"), run_carrel("version", "--json")
    assert text.stdout == f"carrel {json.loads(as_json.stdout)['version']}\n"
    assert run_carrel("--version").stdout == text.stdout


def test_no_colours_where_there_is_no_terminal(run_carrel):
    for arguments in (["help"], ["doctor"], ["rnu"]):
        done = run_carrel(*arguments)
        assert "\x1b" not in done.stdout + done.stderr


def test_the_reference_page_is_current(run_carrel, root):
    page = run_carrel("help", "--markdown")
    assert page.returncode == 0
    assert (root / "docs/reference/cli.md").read_text() == page.stdout, (
        "write it anew: carrel help --markdown > docs/reference/cli.md"
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_valid(run_carrel, shell, tmp_path):
    done = run_carrel("completion", shell)
    assert done.returncode == 0
    for command in COMMANDS:
        assert command in done.stdout
    script = tmp_path / "script"
    script.write_text(done.stdout)
    if shutil.which(shell):
        subprocess.run([shell, "-n", script], check=True, timeout=60)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["carrel", "ins"], {"inspect"}),
        (["carrel", "run", "--inv"], {"--invoke"}),
        (["carrel", "completion", "f"], {"fish"}),
        (["carrel", "help", "doc"], {"doctor"}),
    ],
)
def test_bash_completes_commands_and_options(run_carrel, words, expected, tmp_path):
    script = tmp_path / "script"
    script.write_text(run_carrel("completion", "bash").stdout)
    quoted = " ".join(f"'{word}'" for word in words)
    asked = f'source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _carrel; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    assert set(done.stdout.split()) == expected


def test_an_unknown_shell_is_wrong_use(run_carrel):
    done = run_carrel("completion", "tcsh")
    assert done.returncode == 2
    assert "bash" in done.stderr


NOTHING = '(module (memory (export "memory") 1) (func (export "_start")))'


def test_the_state_folder_is_made_for_its_owner_only(run_carrel, wat, tmp_path):
    folder = tmp_path / "deep/er/state"
    assert run_carrel("run", "--state", folder, wat(NOTHING)).returncode == 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    keys = list(folder.rglob("node.key"))
    assert len(keys) == 1
    assert stat.S_IMODE(keys[0].stat().st_mode) == 0o600


def test_a_state_folder_that_others_may_write_to_is_refused(run_carrel, wat, tmp_path):
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o777)
    done = run_carrel("run", "--state", folder, wat(NOTHING))
    assert done.returncode == 1
    assert "chmod 700" in done.stderr


def test_the_state_folder_follows_the_environment(run_carrel, wat, tmp_path):
    env = {"CARREL_STATE": "", "XDG_STATE_HOME": str(tmp_path / "xdg")}
    assert run_carrel("run", wat(NOTHING), env=env).returncode == 0
    assert (tmp_path / "xdg/carrel").is_dir()
    env = {"CARREL_STATE": "", "XDG_STATE_HOME": "", "HOME": str(tmp_path / "home")}
    assert run_carrel("run", wat(NOTHING), env=env).returncode == 0
    assert (tmp_path / "home/.local/state/carrel").is_dir()
