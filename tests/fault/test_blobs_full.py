"""A disk that is full while blobs are written: a 507, nothing of the turn, reads go on, and it passes."""

import errno
import json

import pytest
from archive import MIB, Archive, pattern
from disk import Disk

from support import GUESTS

BEFORE = pattern(2 * MIB + 5, "before")


@pytest.fixture
def full(tmp_path, library):
    """An archive with one blob, on a disk that fails on demand: (archive, disk)."""
    if not (GUESTS / "archive.wasm").is_file():
        pytest.skip("the archive is not built")
    disk = Disk(tmp_path / "disk", library, tmp_path / "state/store")
    archive = Archive(tmp_path, env=disk.env)
    archive.put("before", BEFORE)
    yield archive, disk
    archive.kill()


def is_refused(answer):
    status, body = answer
    return (status, json.loads(body)["code"]) == (507, "store_full")


# A part that is whole is written while the guest writes, the last one as its turn ends.
@pytest.mark.parametrize("size", [1, MIB, 5 * MIB // 2])
@pytest.mark.parametrize("fault", [{"write_error": errno.ENOSPC}, {"short_write": 1, "after_short": errno.ENOSPC}])
def test_a_blob_that_finds_no_room_is_a_507_and_leaves_nothing(full, size, fault):
    archive, disk = full
    content = pattern(size, size)
    for command, name in (("put", "new"), ("put", "before"), ("append", "before")):
        disk.set(**fault)
        refused = archive.ask(command, name, content)
        assert is_refused(refused), (command, name, refused)
        assert archive.get("new", route="reader") == 404
        assert archive.get("before", route="reader") == BEFORE
    assert disk.get("faults") > 0
    disk.heal()
    archive.put("new", content)
    archive.put("before", content)
    archive.kill()
    checked = archive.check()
    assert checked.returncode == 0, checked.stdout + checked.stderr
    archive.start()
    assert archive.get("new") == archive.get("before") == content
