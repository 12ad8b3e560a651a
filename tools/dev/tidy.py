"""clang-tidy over the sources of src/, only where something has changed since it last passed.

    tidy.py BUILD_FOLDER STAMPS JOBS

A file that passed leaves a stamp named by the digest of its command, its configuration, and all it
includes; other clones on the machine share the stamps. Tests are left out: googletest's macros cost
half of the time and yield mostly findings about the macros.
"""

import hashlib
import json
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

CLANG_TIDY = "clang-tidy-19"
PROGRESS_SECONDS = 10


def dependencies(build):
    """What each object was compiled from, by ninja's log: paths as ninja has them, relative to the build."""
    found, current = {}, []
    text = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        if line.startswith("    "):
            current.append(line.strip())
        elif ": #deps" in line:
            current = found.setdefault(line.split(":")[0], [])
    return found


class Digests:
    """Of files, each read once. Debian's headers count by name: their version is in the compiler's and
    the packages' names, and there are thousands."""

    def __init__(self, build, root):
        self._build, self._root, self._known = build, root, {}

    def of(self, path):
        if path not in self._known:
            file = (self._build / path).resolve()
            own = not file.is_relative_to("/usr") and file.exists()
            content = hashlib.sha256(file.read_bytes()).hexdigest() if own else "there"
            name = file.relative_to(self._root) if file.is_relative_to(self._root) else file.name
            self._known[path] = f"{name} {content}"
        return self._known[path]


def stamp_of(command, inputs, digests, common):
    lines = sorted(digests.of(path) for path in inputs)
    return hashlib.sha256("\n".join([common, command, *lines]).encode()).hexdigest()[:32]


def checked_files(build, root):
    """(source, stamp name) of each file to check."""
    version = subprocess.run([CLANG_TIDY, "--version"], capture_output=True, text=True, check=True).stdout
    common = version + (root / ".clang-tidy").read_text()
    digests, inputs = Digests(build, root), dependencies(build)
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = Path(entry["file"])
        if not source.is_relative_to(root / "src") or source.name.endswith(("_test.cc", "_fuzz.cc")):
            continue
        command = shlex.split(entry["command"])
        relative = " ".join(command).replace(f"{root}/", "")
        used = inputs.get(command[command.index("-o") + 1])
        if not used:  # not compiled yet: then on every header
            used = [entry["file"], *map(str, root.glob("src/**/*.h"))]
        yield source, stamp_of(relative, used, digests, common)


def check(source, build):
    done = subprocess.run(
        [CLANG_TIDY, "-p", build, "--quiet", str(source)], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    # Its counts of what it does not show are no news; what stops it is.
    problems = [line for line in done.stderr.splitlines() if not line.endswith("generated.")]
    return done.returncode, "\n".join([done.stdout, *problems]).strip()


def run_all(waiting, build, stamps, jobs):
    failed, done, told = 0, 0, time.monotonic()
    with ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(check, source, build): stamp for source, stamp in waiting}
        for future in as_completed(running):
            status, output = future.result()
            done += 1
            if status == 0:
                (stamps / running[future]).touch()
            else:
                failed += 1
                print(output, flush=True)
            if time.monotonic() - told > PROGRESS_SECONDS:
                told = time.monotonic()
                print(f"  clang-tidy: {done} of {len(waiting)} files", file=sys.stderr, flush=True)
    return failed


def main(build, stamps, jobs):
    root, build, stamps = Path.cwd(), Path(build).resolve(), Path(stamps)
    stamps.mkdir(parents=True, exist_ok=True)
    files = sorted(set(checked_files(build, root)))
    waiting = [(source, stamp) for source, stamp in files if not (stamps / stamp).exists()]
    print(f"clang-tidy: {len(waiting)} of {len(files)} files have changed", file=sys.stderr, flush=True)
    failed = run_all(waiting, build, stamps, int(jobs))
    if failed:
        print(f"clang-tidy: {failed} files have findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
