"""Fixtures for tests that drive the program from its command line."""

import os
import subprocess

import pytest

from support import CARREL, GUESTS, ROOT


@pytest.fixture(scope="session")
def carrel():
    """The program under test."""
    assert CARREL.is_file(), f"{CARREL} is not built; CARREL names another"
    return CARREL


@pytest.fixture(scope="session")
def state(tmp_path_factory):
    """A state folder for all tests of this process: each module is compiled once."""
    return tmp_path_factory.mktemp("carrel-state")


@pytest.fixture
def run_carrel(carrel, state):
    """run_carrel(ARGUMENT..., input=, cwd=, env=): its exit status and what it printed, as text or bytes."""

    def run(*arguments, input="", cwd=None, env=None, text=True, timeout=120):
        variables = {**os.environ, "CARREL_STATE": str(state), **(env or {})}
        return subprocess.run(
            [str(carrel), *map(str, arguments)],
            input=input,
            cwd=cwd,
            env=variables,
            capture_output=True,
            text=text,
            timeout=timeout,
        )

    return run


@pytest.fixture
def wat(tmp_path):
    """wat(TEXT, name=): a file with this WebAssembly text."""
    made = []

    def write(text, name=None):
        made.append(text)
        path = tmp_path / (name or f"guest{len(made)}.wat")
        path.write_text(text)
        return path

    return write


@pytest.fixture(scope="session")
def guests():
    """guests(NAME): a guest built from tests/guests; a test is skipped where its toolchain is absent."""

    def find(name):
        path = GUESTS / f"{name}.wasm"
        if not path.is_file():
            if os.environ.get("CI") == "true":
                pytest.fail(f"{path} is not built")
            pytest.skip(f"{path} is not built")
        return path

    return find


@pytest.fixture(scope="session")
def root():
    return ROOT
