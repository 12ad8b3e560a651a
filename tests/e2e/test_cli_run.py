"""`carrel run`: a command module as a program of the shell."""

import os
import pty
import select
import signal
import subprocess
import time

import pytest

HELLO = r"""(module
  (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\06\00\00\00")
  (data (i32.const 16) "hello\n")
  (func (export "_start") (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "again") (call 1) (call 1))
  (func (export "takes") (param i32)))"""

TRAP = """(module (memory (export "memory") 1)
  (func $inner unreachable) (func $outer call $inner) (func (export "_start") call $outer))"""

LOOP = '(module (memory (export "memory") 1) (func (export "_start") (loop br 0)))'


@pytest.fixture
def probe(run_carrel, guests):
    """probe(ARGUMENT..., options=): the C probe as a program."""

    def run(*arguments, options=(), guest="probe", **more):
        return run_carrel("run", *options, guests(guest), *arguments, **more)

    return run


def test_text_is_run_as_it_is(run_carrel, wat):
    done = run_carrel("run", wat(HELLO))
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")


def test_a_file_that_is_not_there(run_carrel):
    done = run_carrel("run", "missing.wasm")
    assert done.returncode == 1
    assert "missing.wasm" in done.stderr


def test_without_a_module_it_is_wrong_use(run_carrel):
    assert run_carrel("run").returncode == 2


@pytest.mark.parametrize("content", [b"", b"\0asm", b"\x7fELF", b"(module (func", b"\0asm\x01\0\0\0\x01\xff"])
def test_what_is_no_module_is_said_to_be_none(run_carrel, tmp_path, content):
    file = tmp_path / "x.wasm"
    file.write_bytes(content)
    done = run_carrel("run", file)
    assert done.returncode == 1
    assert done.stderr.startswith("carrel: ")


def test_an_unknown_import_is_named(run_carrel, wat):
    done = run_carrel("run", wat('(module (import "env" "log" (func)) (func (export "_start")))'))
    assert done.returncode == 1
    assert "env" in done.stderr and "log" in done.stderr


def test_arguments_belong_to_the_guest(probe, guests):
    done = probe("args", "--env", "two words", "", "-x")
    assert done.returncode == 0
    assert done.stdout.splitlines() == ["1: --env", "2: two words", "3: ", "4: -x"]


def test_only_the_variables_given_are_there(probe):
    done = probe(
        "env",
        options=["--env", "A=1", "--env", "B=x=y", "--env", "INHERITED", "--env", "NOT_SET"],
        env={"INHERITED": "yes"},
    )
    assert done.stdout.splitlines() == ["A=1", "B=x=y", "INHERITED=yes"]
    assert probe("env").stdout == ""


def test_no_folder_is_there_unless_given(probe):
    for path in ("/", "/etc/passwd", ".", "/tmp"):
        assert probe("cat", path).returncode != 0


@pytest.mark.parametrize(("code", "status"), [(0, 0), (1, 1), (42, 42), (255, 255), (256, 1), (258, 2)])
def test_the_exit_status_is_passed_on(probe, code, status):
    assert probe("exit", code).returncode == status


def test_a_trap_is_134_with_its_frames(run_carrel, wat):
    done = run_carrel("run", wat(TRAP))
    assert done.returncode == 134
    assert "unreachable" in done.stderr
    assert done.stderr.index("inner") < done.stderr.index("outer")


@pytest.mark.parametrize("subcommand", ["trap", "recurse", "abort"])
def test_a_guest_that_crashes_is_134(probe, subcommand):
    done = probe(subcommand)
    assert done.returncode == 134
    assert "trapped" in done.stderr


@pytest.mark.parametrize("limit", [["--time", "200ms"], ["--cpu", "200ms"]])
def test_a_limit_ends_a_loop(run_carrel, wat, limit):
    done = run_carrel("run", *limit, wat(LOOP))
    assert done.returncode == 124
    assert limit[0] in done.stderr


def test_a_deadline_ends_a_sleep(probe):
    done = probe("sleep", 60000, options=["--time", "300ms"])
    assert done.returncode == 124


def test_memory_is_bounded(probe):
    done = probe("grow", options=["--memory", "16MiB"])
    assert done.returncode == 0
    assert int(done.stdout.split()[2]) <= 16


def test_another_export_can_be_called(run_carrel, wat):
    file = wat(HELLO)
    assert run_carrel("run", "--invoke", "again", file).stdout == "hello\nhello\n"
    assert run_carrel("run", "--entrypoint", "again", file).stdout == "hello\nhello\n"
    missing = run_carrel("run", "--invoke", "nothing", file)
    assert missing.returncode == 1 and '"nothing"' in missing.stderr
    with_operands = run_carrel("run", "--invoke", "takes", file)
    assert with_operands.returncode != 0 and "func (i32)" in with_operands.stderr


def test_stats_are_told_on_standard_error(run_carrel, wat):
    done = run_carrel("run", "--stats", wat(HELLO))
    assert done.stdout == "hello\n"
    assert "memory 64KiB" in done.stderr and "CPU" in done.stderr


@pytest.mark.parametrize(
    "option",
    [
        ["--dir", ""],
        ["--dir", "/nowhere/at/all"],
        ["--dir", "..::"],
        ["--dir", ".."],
        ["--memory", "much"],
        ["--time", "soon"],
        ["--env", "=x"],
    ],
)
def test_bad_options_say_what_to_write(run_carrel, wat, option):
    done = run_carrel("run", *option, wat(HELLO))
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert done.stderr.startswith("carrel")


# --- standard streams ------------------------------------------------------------------------------


def test_standard_input_from_a_pipe_is_whole(probe):
    data = os.urandom(3_000_000)
    done = probe("echo", input=data, text=False)
    assert done.returncode == 0
    assert done.stdout == data


def test_standard_input_from_a_file(carrel, state, guests, tmp_path):
    data = os.urandom(1_000_000)
    (tmp_path / "in").write_bytes(data)
    with (tmp_path / "in").open("rb") as given, (tmp_path / "out").open("wb") as taken:
        subprocess.run(
            [carrel, "run", "--state", state, guests("probe"), "echo"],
            stdin=given,
            stdout=taken,
            check=True,
            timeout=60,
        )
    assert (tmp_path / "out").read_bytes() == data


def test_standard_input_from_nothing(carrel, state, guests):
    done = subprocess.run(
        [carrel, "run", "--state", state, guests("probe"), "count"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("0 bytes")


def test_streams_are_live_in_both_directions(carrel, state, guests):
    process = subprocess.Popen(
        [carrel, "run", "--state", state, guests("probe"), "echo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        for line in (b"one\n", b"two\n"):
            process.stdin.write(line)
            process.stdin.flush()
            assert select.select([process.stdout], [], [], 60)[0], "nothing came back before the end of the input"
            assert os.read(process.stdout.fileno(), 100) == line
        process.stdin.close()
        assert process.wait(60) == 0


def test_a_terminal_is_one_and_keeps_its_flags(carrel, state, guests):
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [carrel, "run", "--state", state, guests("probe"), "echo"], stdin=follower, stdout=follower, stderr=follower
    )
    os.write(leader, b"typed\n")
    seen = b""
    while seen.count(b"typed") < 2:  # the terminal's echo, and the guest's
        assert select.select([leader], [], [], 60)[0], seen
        seen += os.read(leader, 1000)
    assert os.get_blocking(follower), "a shared terminal was made non-blocking"
    os.write(leader, b"\x04")
    assert process.wait(60) == 0
    os.close(leader)
    os.close(follower)


def test_sleeping_does_not_wait_for_input(carrel, state, guests):
    process = subprocess.Popen(
        [carrel, "run", "--state", state, guests("probe"), "poll", "50"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.read().startswith("ok ")
        assert process.wait(60) == 0


def test_a_reader_that_goes_away_is_an_error_of_the_write(carrel, state, guests):
    process = subprocess.Popen(
        [carrel, "run", "--state", state, guests("probe"), "big", "100000000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.read(1000)
    process.stdout.close()
    assert process.wait(60) == 74
    assert "probe: write:" in process.stderr.read()
    process.stderr.close()


def test_a_slow_reader_holds_up_the_guest_and_not_its_deadline(carrel, state, guests):
    process = subprocess.Popen(
        [carrel, "run", "--state", state, "--time", "1s", guests("probe"), "big", "100000000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.wait(60) == 124  # nobody reads
    process.stdout.close()


def test_closed_streams_are_not_open_for_the_guest(carrel, state, guests):
    done = subprocess.run(
        ["sh", "-c", f"'{carrel}' run --state '{state}' '{guests('probe')}' count <&-"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "Assertion" not in done.stderr


def test_an_interrupt_ends_it(carrel, state, wat):
    process = subprocess.Popen([carrel, "run", "--state", state, wat(LOOP)])
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == -signal.SIGINT


# --- host folders ----------------------------------------------------------------------------------


@pytest.mark.parametrize("guest", ["probe", "probe_go", "probe_rust"])
@pytest.mark.parametrize("place", ["/data", "/deep/er"])
def test_a_host_folder_behaves_as_posix_programs_expect(probe, tmp_path, guest, place):
    folder = tmp_path / "folder"
    folder.mkdir()
    done = probe("fs", place, options=["--dir", f"{folder}::{place}"], guest=guest)
    assert done.stdout.startswith("ok "), done.stdout + done.stderr
    assert done.returncode == 0
    assert list(folder.iterdir()) == []


def test_a_folder_given_alone_has_its_own_name(probe, tmp_path):
    (tmp_path / "file").write_text("here")
    assert probe("cat", "file", options=["--dir", "."], cwd=tmp_path).stdout == "here"
    assert probe("cat", "./file", options=["--dir", "."], cwd=tmp_path).stdout == "here"
    assert probe("cat", f"{tmp_path}/file", options=["--dir", tmp_path]).stdout == "here"


def test_a_read_only_folder_cannot_be_changed(probe, tmp_path):
    (tmp_path / "file").write_text("here")
    done = probe("readonly", "/data", "file", options=["--dir", f"{tmp_path}::/data:ro"])
    assert done.stdout.startswith("ok "), done.stdout
    assert (tmp_path / "file").read_text() == "here"


def test_two_folders_are_two(probe, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    options = ["--dir", f"{tmp_path}/a::/a", "--dir", f"{tmp_path}/b::/b:ro"]
    assert probe("cat", "/a/file", options=options).stdout == "a"
    assert probe("cat", "/b/file", options=options).stdout == "b"
    moved = probe("rename", "/a/file", "/b/other", options=options)
    assert moved.returncode == 1
    assert (tmp_path / "a/file").exists()
    same = probe("cat", "/a/file", options=["--dir", f"{tmp_path}/a::/x", "--dir", f"{tmp_path}/b::/x/"])
    assert same.returncode == 2


@pytest.fixture
def trap_folder(tmp_path):
    """A folder full of ways out, and the secret that none of them may reach."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "file").write_text("secret")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "plain").write_text("plain")
    (inside / "absolute").symlink_to(secret / "file")
    (inside / "relative").symlink_to("../secret/file")
    (inside / "folder").symlink_to(secret)
    (inside / "up").symlink_to("..")
    (inside / "root").symlink_to("/")
    (inside / "self").symlink_to("self")
    (inside / "chain").symlink_to("relative")
    (inside / "fine").symlink_to("plain")
    (inside / "proc").symlink_to("/proc/self/root")
    return inside


@pytest.mark.parametrize(
    "path",
    [
        "absolute",
        "relative",
        "folder/file",
        "up/secret/file",
        "root/etc/passwd",
        "self",
        "chain",
        "proc/etc/passwd",
        "../secret/file",
        "./../secret/file",
        "folder/../../secret/file",
        "up/../secret/file",
        "/../../../etc/passwd",
    ],
)
def test_nothing_outside_a_folder_can_be_read(probe, trap_folder, path):
    name = path if path.startswith("/") else f"/data/{path}"
    done = probe("cat", name, options=["--dir", f"{trap_folder}::/data"])
    assert done.returncode == 1
    assert "secret" not in done.stdout.replace(name, "") and "root:" not in done.stdout


@pytest.mark.parametrize("path", ["absolute", "relative", "folder/new", "up/new", "../new", "chain"])
@pytest.mark.parametrize("subcommand", ["write", "mkdir"])
def test_nothing_outside_a_folder_can_be_changed(probe, trap_folder, path, subcommand):
    outside = trap_folder.parent
    before = sorted(outside.rglob("*"))
    done = probe(subcommand, f"/data/{path}", options=["--dir", f"{trap_folder}::/data"])
    assert done.returncode == 1
    assert sorted(outside.rglob("*")) == before
    assert (outside / "secret/file").read_text() == "secret"


def test_links_that_stay_inside_work(probe, trap_folder):
    assert probe("cat", "/data/fine", options=["--dir", f"{trap_folder}::/data"]).stdout == "plain"


def test_a_link_is_removed_and_not_what_it_leads_to(probe, trap_folder):
    assert probe("unlink", "/data/absolute", options=["--dir", f"{trap_folder}::/data"]).returncode == 0
    assert not (trap_folder / "absolute").is_symlink()
    assert (trap_folder.parent / "secret/file").read_text() == "secret"


def test_a_fifo_blocks_nobody(probe, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    done = probe("cat", "/data/fifo", options=["--dir", f"{tmp_path}::/data", "--time", "20s"])
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("guest", "arguments"),
    [
        ("probe", ["clock"]),
        ("probe", ["sleep", "20"]),
        ("probe", ["random", "64"]),
        ("probe", ["isolation"]),
        ("probe_go", ["work"]),
        ("probe_go", ["goroutines"]),
        ("probe_rust", ["time"]),
        ("probe_rust", ["random"]),
    ],
)
def test_the_probes_checks_pass(probe, guest, arguments):
    done = probe(*arguments, guest=guest)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout
