"""tools/layers on made-up trees."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("CARREL_ROOT", Path(__file__).resolve().parents[2]))


def layers(folder, files):
    (folder / "tools").mkdir()
    (folder / "tools/layers.txt").write_text("# lowest first\nbase\nasync\nwasm\nabi\npatterns\n")
    for path, text in files.items():
        (folder / "src" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "src" / path).write_text(text)
    done = subprocess.run([sys.executable, ROOT / "tools/layers", folder], capture_output=True, text=True)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    "path, text, says",
    [
        (
            "base/low.cc",
            '#include "wasm/engine.h"\n',
            "src/base/low.cc:1: error: includes wasm/engine.h: wasm/ comes after",
        ),
        ("base/low.cc", '\n\n  #  include "abi/abi.h"\n', "src/base/low.cc:3: error"),
        ("base/lib.h", "#include <boost/asio/post.hpp>\n", "Asio stays in src/async and src/net"),
        ("abi/lib.h", "#include <carrel/engine.h>\n", "Wasmtime stays in src/wasm"),
        ("wasm/lib.cc", "#include <rocksdb/db.h>\n", "RocksDB stays in src/store"),
        ("abi/x/x.cc", '#include "abi/y/y.h"\n', "abi/x and abi/y lie beside one another"),
        ("abi/abi.h", '#include "abi/x/x.h"\n', "lie beside one another"),
        ("patterns/queue/queue.cc", '#include "patterns/stream/stream.h"\n', "lie beside one another"),
        ("wasm/dots.cc", '#include "wasm/../base/id.h"\n', "climbs out"),
        ("attic/old.h", "\n", "the room 'attic' is not in"),
        ("wasm/lost.cc", '#include "attic/old.h"\n', "no room 'attic'"),
        ("base/long.h", "\n" * 301, "a header of 301 lines"),
        ("base/long.cc", "\n" * 601, "601 lines; the limit is 600"),
        ("base/long_test.cc", "\n" * 801, "801 lines; the limit is 800"),
    ],
)
def test_a_violation_is_named_and_fails(tmp_path, path, text, says):
    status, output = layers(tmp_path, {path: text})
    assert says in output
    assert status == 1


@pytest.mark.parametrize(
    "path, text",
    [
        ("wasm/up.cc", '#include "base/id.h"\n#include "wasm/raw.h"\n#include <vector>\n'),
        ("wasm/engine.cc", "#include <carrel/engine.h>\n#include <wasmtime.h>\n"),
        ("async/shard.cc", "#include <boost/asio/io_context.hpp>\n"),
        ("abi/x/x.cc", '#include "abi/abi.h"\n#include "abi/x/x.h"\n#include "local.h"\n'),
        ("base/talk.cc", '// #include "wasm/engine.h"\n'),
        ("base/large_test.cc", "\n" * 800),
    ],
)
def test_what_keeps_to_the_order_passes(tmp_path, path, text):
    assert layers(tmp_path, {path: text}) == (0, "")


def test_a_long_header_is_noted_and_passes(tmp_path):
    status, output = layers(tmp_path, {"base/long.h": "\n" * 151})
    assert "note: a header of 151 lines" in output
    assert status == 0
