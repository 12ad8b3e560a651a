"""The server is killed while blobs are written: each is there as a whole, and what was acknowledged is."""

import random
import threading
import time

import pytest
from archive import MIB, Archive, pattern
from bank import ROUNDS

from support import GUESTS


@pytest.fixture
def archive(tmp_path):
    if not (GUESTS / "archive.wasm").is_file():
        pytest.skip("the archive is not built")
    made = Archive(tmp_path)
    yield made
    made.kill()


class Writer(threading.Thread):
    """Makes blobs of its own and writes one over and over, until the server is gone."""

    def __init__(self, archive, round_name, number):
        super().__init__()
        self.archive, self.round, self.number = archive, round_name, number
        self.pick = random.Random(f"{round_name}-{number}")
        self.told = {}  # name: the seeds of what was put there, from the last that was acknowledged on
        self.done = 0
        self.start()

    def content(self, seed):
        size = random.Random(seed).choice([0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB + 7, 5 * MIB // 2])
        return pattern(size, seed)

    def run(self):
        for i in range(10_000):
            name = f"{self.round}/{self.number}/{self.pick.choice(['over', f'new{i}'])}"
            seed = f"{name}-{i}"
            seeds = self.told.setdefault(name, [None])
            seeds.append(seed)
            try:
                status, _ = self.archive.ask("put", name, self.content(seed))
            except OSError:
                return
            except Exception as error:  # what http.client makes of half an answer
                assert type(error).__module__ == "http.client", error
                return
            assert status == 201, (status, self.archive.server.log[-2000:])
            self.told[name] = [seed]
            self.done += 1

    def erase(self):
        for name in self.told:
            status, reply = self.archive.ask("drop", name)
            assert status in (200, 404), (status, reply)

    def check(self):
        for name, seeds in self.told.items():
            found = self.archive.get(name)
            kept = [seed for seed in seeds if found == (404 if seed is None else self.content(seed))]
            assert kept, f"{name} is neither what was acknowledged nor what came after"
            self.told[name] = kept[:1]


def test_blobs_written_while_the_server_is_killed_are_whole_or_absent(archive):
    writers = []
    acknowledged = 0
    for round_number in range(ROUNDS or 4):
        fresh = [Writer(archive, f"r{round_number}", i) for i in range(4)]
        time.sleep(random.uniform(0.05, 0.8))
        archive.kill()
        for writer in fresh:
            writer.join()
            acknowledged += writer.done
        checked = archive.check()
        assert checked.returncode == 0, checked.stdout + checked.stderr
        archive.start()
        for writer in fresh:
            writer.check()
        writers = [*fresh, *writers]
        while len(writers) > 12:
            writers.pop().erase()
    assert acknowledged > 0
    archive.restart()
    for writer in writers:
        writer.check()
