"""A disk that fails on demand: writes, syncs and room, for a server that is started with its `env`."""

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

FIELDS = ("sync_error", "write_error", "short_write", "after_short", "syncs", "faults")


class Disk:
    """`below`: the folder whose files fail."""

    def __init__(self, folder, library, below):
        folder.mkdir(parents=True)
        self.file = folder / "control"
        self.file.write_bytes(bytes(4096))
        with self.file.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 4096)
        self.env = {"LD_PRELOAD": str(library), "FAULTY_DISK_CONTROL": str(self.file)}
        self.env["FAULTY_DISK_FOLDER"] = str(below)

    def set(self, **values):
        for name, value in values.items():
            struct.pack_into("=i", self.memory, 4 * FIELDS.index(name), value)

    def get(self, name):
        return struct.unpack_from("=i", self.memory, 4 * FIELDS.index(name))[0]

    def heal(self):
        self.set(sync_error=0, write_error=0, short_write=0, after_short=0)


def build_library(folder, name="faulty_disk"):
    """Of NAME.c, for LD_PRELOAD. None: there is no C compiler."""
    compiler = next((found for name in ("clang-19", "cc", "gcc") if (found := shutil.which(name))), None)
    if not compiler:
        return None
    out = folder / f"{name}.so"
    source = Path(__file__).with_name(f"{name}.c")
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", out, source, "-ldl"], check=True)
    return out
