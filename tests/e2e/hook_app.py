"""An app whose points do what tests of the packages ask of them, and programs that use it."""

import json
import os
import subprocess

from support import GUESTS, App

FUNCTIONS = ("price", "slow", "again", "raising", "refusing", "garbage", "huge", "hangs", "interrupted")


def hook_app(folder):
    app = App(folder, "shop")
    app.module("act", GUESTS / "hook.wasm", 'limits = { memory = "4MiB", cpu = "100ms", time = "8s" }')
    (app.folder / "cart.json").write_text(json.dumps({"type": "object", "required": ["total"]}))

    def point(name, act, more="", **config):
        pairs = ", ".join(f"{key} = {json.dumps(value)}" for key, value in {"ACT": act, **config}.items())
        app.text += f'\n[[hook]]\npoint = "{name}"\n{more}\n[[hook.bind]]\nmodule = "act"\nname = "one"\n'
        app.text += f'tenant = "merchant-17"\nconfig = {{ {pairs} }}\n'

    point("echo", "echo", 'combine = "first"')
    point("add", "add", 'combine = "chain"\ninput = "cart.json"', NAME="gift")
    for name in FUNCTIONS:
        point(f"ask-{name}", "app", f'combine = "first"\ndeadline = "2s"\nfunctions = ["{name}"]', NAME=name)
    for act in ("huge", "loop", "sleep", "trap", "exit"):
        deadline = "300ms" if act == "sleep" else "8s"
        point(act, act, f'combine = "first"\non_failure = "fail"\ndeadline = "{deadline}"', ANSWER="1")
    app.write()
    return app.folder


def run(command, cache, cwd=None, timeout=60, env=None):
    """What a program printed; compiled code is kept in `cache`."""
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=cwd,
        env={**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONDONTWRITEBYTECODE": "1", **(env or {})},
    )
    assert done.returncode == 0, (done.returncode, done.stdout[-2000:], done.stderr[-4000:])
    return done


def first_example(readme, language):
    """The first block of a language, and the block after it, which is what it prints."""
    example, _, rest = readme.read_text().partition(f"```{language}\n")[2].partition("```\n")
    printed = [line[4:] for line in rest.strip("\n").split("\n\n")[0].splitlines()]
    return example, printed
