"""Fixtures for tests of what the store survives. `--rounds N` is how often the random ones are repeated."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from bank import Bank  # noqa: E402
from disk import build_library  # noqa: E402

from support import GUESTS  # noqa: E402


def pytest_collection_modifyitems(items):
    if not (GUESTS / "bank.wasm").is_file():
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="the bank is not built"))


@pytest.fixture
def bank(tmp_path):
    """bank(NAME..., **options): a Bank served from a state folder of its own."""
    made = []

    def start(*names, **more):
        made.append(Bank(tmp_path / f"bank{len(made)}", names or ("bank",), **more))
        return made[-1]

    yield start
    for one in made:
        one.end()


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """What makes a disk fail; see disk.py."""
    found = build_library(tmp_path_factory.mktemp("disk"))
    return found or pytest.skip("there is no C compiler")


@pytest.fixture(scope="session")
def other_world(tmp_path_factory):
    """What makes the clock jump and the engine another; see other_world.c."""
    found = build_library(tmp_path_factory.mktemp("world"), "other_world")
    return found or pytest.skip("there is no C compiler")
