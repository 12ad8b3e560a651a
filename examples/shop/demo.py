#!/usr/bin/env python3
"""Starts the shop, asks it things, shows what came back, and checks every answer.

    examples/shop/demo.py --carrel build/release/carrel

Works on a temporary copy of the app, because one part edits it while it is served. The exit status
is 0 only if every answer was the expected one and the server stopped cleanly.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

import demo_functions
import demo_operating
import demo_state
from demo_client import Checks

APP = Path(__file__).resolve().parent


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--carrel", required=True, type=Path, help="the carrel program")
    carrel = arguments.parse_args().carrel.resolve()
    modules = ("home", "price", "search", "order", "chart", "cart", "stock", "exchange")
    missing = [name for name in modules if not (APP / "build" / f"{name}.wasm").is_file()]
    if missing:
        sys.exit(f"not built: {', '.join(missing)}; run ./dev build, or build.sh in each folder")

    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="carrel-shop-") as temporary:
        folder = Path(temporary) / "shop"
        # One for all chapters: what is compiled is in it, and the two components take a while.
        os.environ["CARREL_STATE"] = str(Path(temporary) / "state")
        keep_out = shutil.ignore_patterns("target", "*.py")
        shutil.copytree(APP, folder, ignore=keep_out)
        demo_functions.dev(carrel, folder, checks)
        demo_state.state(carrel, folder, checks)
        demo_state.exchange(carrel, folder, checks)
        demo_operating.wagi(carrel, folder, checks)
        demo_operating.operating(carrel, folder, checks)
        demo_operating.shell(carrel, folder, checks)
    return checks.report()


if __name__ == "__main__":
    sys.exit(main())
