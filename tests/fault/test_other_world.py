"""What a node finds changed around it: an engine that no longer compiles what it once did, a clock that jumps."""

import shutil
import struct
import sys

import pytest
from deploying import Node, app_of, change

from support import CARREL

OF_AN_OLDER_ENGINE = ";; only an older engine compiles this\n"
COMPILER = f"""#!{sys.executable} -I
import os, sys
if {OF_AN_OLDER_ENGINE.strip().encode()!r} in os.pread(0, os.fstat(0).st_size, 0):
    os.write(1, b"unknown opcode 0x99")
    sys.exit(3)
os.execv({str(CARREL)!r}, ["carrel", "compile-module"])
"""
TEN_YEARS = 10 * 365 * 86400


@pytest.fixture
def upgraded(other_world, tmp_path):
    """upgraded(STATE): a node of an engine that compiled none of the code that is there, and does not compile all."""
    compiler = tmp_path / "compiler"
    compiler.write_text(COMPILER)
    compiler.chmod(0o755)

    def start(state):
        shutil.rmtree(state / "code")
        return Node(state, env={"LD_PRELOAD": str(other_world), "OTHER_WORLD_COMPILER": str(compiler)})

    return start


def of_an_older_engine(app):
    source = app.folder / "page.wat"
    source.write_text(OF_AN_OLDER_ENGINE + source.read_text())


def test_a_version_that_no_longer_compiles_is_not_activated_and_the_live_one_stays(upgraded, tmp_path):
    app = app_of(tmp_path / "app", "one")
    of_an_older_engine(app)
    with Node(tmp_path / "state") as node:
        node.deploy(app)
        change(app, "two")
        node.deploy(app)
        assert node.server.stop() == 0
    with upgraded(tmp_path / "state") as node:
        assert node.get("shop.localhost") == (200, "two")
        for command in (["activate", "shop", 1], ["rollback", "shop"]):
            refused = node.run(*command)
            assert refused.returncode == 1, refused.stdout
            assert "unknown opcode 0x99" in refused.stderr
        assert node.json("apps", "show", "shop")["live"] == [{"version": 2, "percent": 100}]
        assert node.get("shop.localhost") == (200, "two")
        change(app, "three")
        node.deploy(app)
        assert node.get("shop.localhost") == (200, "three")
        assert node.server.stop() == 0


def test_a_live_version_that_no_longer_compiles_is_told_and_stops_no_other(upgraded, tmp_path):
    old, new = app_of(tmp_path / "old", "old"), app_of(tmp_path / "new", "new", "blog")
    of_an_older_engine(old)
    with Node(tmp_path / "state") as node:
        node.deploy(old)
        node.deploy(new)
        assert node.server.stop() == 0
    with upgraded(tmp_path / "state") as node:
        assert node.get("blog.localhost") == (200, "new")
        assert node.get("shop.localhost")[0] == 404
        assert "version_not_served" in node.server.log
        assert "unknown opcode 0x99" in node.server.log
        change(old, "mended")
        node.deploy(old)
        assert node.get("shop.localhost") == (200, "mended")
        assert node.server.stop() == 0


def test_the_wall_clock_may_jump_while_it_serves(other_world, tmp_path):
    clock = tmp_path / "clock"
    clock.write_bytes(struct.pack("=q", 0))
    env = {"LD_PRELOAD": str(other_world), "OTHER_WORLD_CLOCK": str(clock)}
    app = app_of(tmp_path / "app", "0")
    with Node(tmp_path / "state", env=env) as node:
        node.deploy(app)
        made = node.ask("POST", "/tenants/shop/tokens", json={"verbs": ["read"], "ttl": 3600}).json()
        holder = {"Authorization": f"Bearer {made['token']}"}
        for number, (jump, status) in enumerate([(TEN_YEARS, 401), (-TEN_YEARS, 200), (0, 200), (TEN_YEARS, 401)], 1):
            with clock.open("r+b") as file:
                file.write(struct.pack("=q", jump))
            assert node.get("shop.localhost") == (200, str(number - 1))
            change(app, str(number))
            node.deploy(app)
            assert node.get("shop.localhost") == (200, str(number))
            assert node.ask("PUT", "/tenants/shop/kv/s/k?ttl=60", data="x").status_code == 204
            assert node.ask("GET", "/tenants/shop", headers=holder).status_code == status, jump
            assert node.ask("GET", "/tenants/shop/audit").status_code == 200
        assert node.server.stop() == 0
    with Node(tmp_path / "state") as node:  # written in the future
        assert node.get("shop.localhost") == (200, str(number))
        assert node.server.stop() == 0
