"""Components from the shell: wasi:cli commands, what they are composed of, and what they import."""

import pytest
from web_component import WEB

pytestmark = pytest.mark.skipif(not WEB.is_file(), reason="the component is not built")


def test_inspect_prints_the_world_of_a_component(run_carrel):
    done = run_carrel("inspect", WEB)
    assert done.returncode == 0, done.stdout
    assert "http-proxy" in done.stdout
    assert "world root {" in done.stdout
    assert "export wasi:http/incoming-handler@0.2.12;" in done.stdout


def test_what_nothing_provides_is_named_before_it_is_served(run_carrel, wat):
    component = wat('(component (import "acme:prices/list@1.0.0" (instance (export "get" (func)))))')
    done = run_carrel("inspect", component)
    assert done.returncode == 1
    assert "can run    no" in done.stdout


# Two components: one calls the other with a text, which is copied from one memory to the other.
COMPOSED = """(component
  (component $callee
    (core module $m
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      (func (export "last") (param $at i32) (param $size i32) (result i32)
        (i32.load8_u (i32.sub (i32.add (local.get $at) (local.get $size)) (i32.const 1)))))
    (core instance $i (instantiate $m))
    (func (export "last") (param "text" string) (result u32)
      (canon lift (core func $i "last") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $caller
    (import "last" (func $last (param "text" string) (result u32)))
    (core module $room (memory (export "memory") 1) (data (i32.const 8) "hello!"))
    (core instance $own (instantiate $room))
    (core func $lowered (canon lower (func $last) (memory (core memory $own "memory"))))
    (core module $m
      (import "other" "last" (func $last (param i32 i32) (result i32)))
      (func (export "run") (result i32)
        (i32.ne (call $last (i32.const 8) (i32.const 6)) (i32.const 33))))
    (core instance $other (export "last" (func $lowered)))
    (core instance $i (instantiate $m (with "other" (instance $other))))
    (func (export "run") (result (result)) (canon lift (core func $i "run"))))
  (instance $a (instantiate $callee))
  (instance $b (instantiate $caller (with "last" (func $a "last"))))
  (instance $exports (export "run" (func $b "run")))
  (export "wasi:cli/run@0.2.3" (instance $exports)))"""


def test_what_is_composed_of_several_runs(run_carrel, wat):
    composed = wat(COMPOSED)
    done = run_carrel("run", "--memory", "128KiB", composed)
    assert done.returncode == 0, done.stderr
    assert run_carrel("run", "--memory", "64KiB", composed).returncode != 0, "the limit is for both memories"
    assert "can run" in run_carrel("inspect", composed).stdout


def test_a_command_runs_from_the_shell(run_carrel, guests, tmp_path):
    (tmp_path / "note.txt").write_text("written by a test")
    done = run_carrel("run", "--dir", f"{tmp_path}::/data", guests("keeper_component"), input="read /data/note.txt\n")
    assert done.returncode == 0, done.stderr
    assert "written by a test" in done.stdout
    failed = run_carrel("run", guests("keeper_component"), input="exit 3\n")
    assert failed.returncode == 1  # all that wasi:cli 0.2 can say
    assert run_carrel("run", WEB).returncode == 1


def test_a_command_of_wasi_0_3_has_files_that_stream(run_carrel, guests, tmp_path):
    (tmp_path / "note.txt").write_text("a note\n" * 200)
    (tmp_path / "folder").mkdir()
    done = run_carrel("run", "--dir", f"{tmp_path}::/data", guests("command3"))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:3] == ["missing: error 19", ".: error 13", "note.txt: error 2"]
    assert lines[3:203] == ["a note"] * 200
    assert lines[203:207] == ["note.txt: well", "out.txt: well", "out.txt: well", "24 bytes"]
    assert sorted(lines[207:210]) == ["folder 2", "note.txt 5", "out.txt 5"]
    assert lines[210:] == [".: well", "unlink: well"]
    assert (tmp_path / "out.txt").read_text() == "written by 0.3\nand more\n"
    assert not (tmp_path / "note.txt").exists()
