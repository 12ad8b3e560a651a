"""`carrel inspect` and `carrel doctor`."""

import json
import random
import resource
import subprocess

import pytest
from wat import guest

COMPONENT = b"\0asm\x0d\0\x01\0"


def test_a_command_can_run(run_carrel, wat):
    done = run_carrel("inspect", wat(guest()))
    assert done.returncode == 0, done.stdout
    assert "can run    yes" in done.stdout
    assert "command: " in done.stdout
    assert "wasi_snapshot_preview1.fd_write  func (i32 i32 i32 i32) -> i32" in done.stdout


def test_a_real_guest_as_json(run_carrel, guests):
    done = run_carrel("inspect", "--json", guests("probe"))
    found = json.loads(done.stdout)
    assert found["kind"] == "core module" and found["abi"] == "command" and found["runnable"]
    assert found["bytes"] == guests("probe").stat().st_size
    assert all(item["known"] for item in found["imports"])
    assert any(item["name"] == "_start" for item in found["exports"])
    assert found["memories"][0]["least_pages"] > 0
    assert any(item["name"] == "name" for item in found["custom"])


def test_unknown_imports_are_named(run_carrel, wat):
    file = wat('(module (import "env" "log" (func (param i32))) (memory (export "memory") 1) (func (export "_start")))')
    done = run_carrel("inspect", file)
    assert done.returncode == 1
    assert "env.log  func (i32)  (unknown" in done.stdout
    found = json.loads(run_carrel("inspect", "--json", file).stdout)
    assert not found["runnable"] and found["code"] == "unknown_import" and not found["imports"][0]["known"]


def test_a_library_speaks_no_abi(run_carrel, wat):
    done = run_carrel("inspect", wat('(module (func (export "add")))'))
    assert done.returncode == 1
    assert "_start" in done.stdout


def test_a_component_is_said_to_be_one(run_carrel, tmp_path):
    (tmp_path / "c.wasm").write_bytes(COMPONENT)
    done = run_carrel("inspect", tmp_path / "c.wasm")
    assert done.returncode == 1
    assert "component" in done.stdout and "world root" in done.stdout


def test_a_component_given_as_text_is_shown_as_one(run_carrel, wat):
    done = run_carrel("inspect", wat('(component (import "wasi:cli/exit@0.2.3" (instance)))'))
    assert "wasi:cli/exit@0.2.3" in done.stdout
    assert "damaged" not in done.stdout


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"\0asm",
        b"\0asm\x01\0\0\0\x02",
        b"\0asm\x01\0\0\0\x01\xff\xff\xff\xff\x0f",
        COMPONENT + b"\x01",
        b"(module",
        b"(" * 100_000,
        b"\xff" * 1000,
        b"#!/bin/sh\n",
        b"\0asm\x01\0\0\0\0\x05\x7fabcd",
    ],
)
def test_hostile_files_get_a_clear_text(run_carrel, tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    done = run_carrel("inspect", tmp_path / "x")
    assert done.returncode == 1
    assert "can run    no: " in done.stdout or done.stderr.startswith("carrel: ")
    assert json.loads(run_carrel("inspect", "--json", tmp_path / "x").stdout)["runnable"] is False


def test_damaged_modules_never_stop_it(run_carrel, guests, tmp_path):
    whole = guests("probe").read_bytes()
    dice = random.Random(7)
    for _ in range(12):
        damaged = bytearray(whole[: dice.randrange(len(whole))] if dice.random() < 0.5 else whole)
        for _ in range(dice.randrange(1, 8)):
            if damaged:
                damaged[dice.randrange(min(len(damaged), 4000))] = dice.randrange(256)
        (tmp_path / "x.wasm").write_bytes(damaged)
        done = run_carrel("inspect", tmp_path / "x.wasm")
        assert done.returncode in (0, 1), done.stderr


def test_names_cannot_write_to_the_terminal(run_carrel, wat):
    done = run_carrel("inspect", wat(r'(module (func (export "_start")) (func (export "\1b[2Jx\0ay")))'))
    assert "\x1b" not in done.stdout and "\ny" not in done.stdout


@pytest.mark.parametrize("path, status", [("missing", 1), (".", 2), ("/dev/zero", 2)])
def test_what_is_no_regular_file_is_refused(run_carrel, path, status, tmp_path):
    done = run_carrel("inspect", path, cwd=tmp_path)
    assert done.returncode == status
    assert done.stderr.startswith("carrel: cannot inspect")


def test_abis_are_listed(run_carrel):
    assert run_carrel("inspect", "--abis").stdout.startswith("command ")
    assert run_carrel("inspect").returncode == 2


# --- doctor ----------------------------------------------------------------------------------------


def test_doctor_finds_this_machine_fit(run_carrel):
    done = run_carrel("doctor", "--json")
    found = json.loads(done.stdout)
    problems = [each for each in found["checks"] if each["status"] == "problem"]
    assert done.returncode == (1 if problems else 0)
    assert problems == []
    names = {each["name"] for each in found["checks"]}
    assert names >= {
        "kernel",
        "processor",
        "openat2",
        "seccomp",
        "memory",
        "open files",
        "address space limit",
        "vm.max_map_count",
        "vm.overcommit_memory",
        "address space",
        "engine",
        "state folder",
        "disk",
        "compiling",
        "guests in C",
    }
    assert all(each["help"] for each in found["checks"] if each["status"] != "ok")
    assert any(each["name"] == "slots" and each["why"] for each in found["settings"])


def test_doctor_as_text(run_carrel):
    done = run_carrel("doctor")
    assert done.returncode == 0
    assert "The engine's settings here:" in done.stdout


def test_doctor_says_what_to_do_about_a_problem(carrel, state):
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))

    done = subprocess.run(
        [carrel, "doctor", "--state", state], preexec_fn=limit, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "ulimit -v unlimited" in done.stdout


def test_doctor_sees_a_folder_that_others_may_write_to(run_carrel, tmp_path):
    tmp_path.chmod(0o777)
    done = run_carrel("doctor", "--state", tmp_path)
    assert done.returncode == 1
    assert "chmod 700" in done.stdout
