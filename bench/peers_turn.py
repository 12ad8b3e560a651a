"""The turn suite's peers and guests: Fastify from npm, PostgreSQL 15 from Debian."""

import contextlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from peers import compile_c

from harness import CACHE, PEERS, ROOT, apt, digest, free_port, note, once, run, wait_for_port

FASTIFY_VERSION = "5.12.8"
PG_VERSION = "8.23.1"
HERE = ROOT / "bench/turn"
BIN = Path("/usr/lib/postgresql/15/bin")


def guest(kind, keys=10_000):
    source = HERE / "turn.c"
    return once(
        CACHE / "bench" / f"turn-{kind}-{keys}-{digest(source)}.wasm",
        lambda new: compile_c(source, new, f"-DKIND={kind}", f"-DKEYS={keys}"),
    )


def fastify():
    def make(new):
        new.mkdir()
        (new / "package.json").write_text('{"private": true}\n')
        note("installing fastify and pg")
        run(["npm", "install", "--no-audit", "--no-fund", f"fastify@{FASTIFY_VERSION}", f"pg@{PG_VERSION}"], cwd=new)

    return once(PEERS / f"fastify-{FASTIFY_VERSION}-pg-{PG_VERSION}", make)


class Postgres:
    """A cluster of its own in `folder`, on a Unix socket, as Debian sets it up but for the number of connections."""

    def __init__(self, folder, keys):
        apt("postgresql-15")
        self.folder, self.keys = Path(folder), keys
        self.data = self.folder / "data"
        # PostgreSQL does not run as root.
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._run(BIN / "initdb", "-D", self.data, "-U", "bench", "--auth", "trust", "-E", "UTF8", "--locale", "C")
        with (self.data / "postgresql.conf").open("a") as config:
            config.write(
                f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\nmax_connections = 200\n"
                "shared_buffers = 256MB\n"
            )
        self._run(BIN / "pg_ctl", "-D", self.data, "-w", "-l", self.folder / "log", "start")
        self.sql("CREATE TABLE kv (k integer PRIMARY KEY, v text NOT NULL)")
        self.sql(f"INSERT INTO kv SELECT i, repeat('a', 100) FROM generate_series(0, {keys - 1}) AS i")
        self.sql("VACUUM ANALYZE kv")

    def _as_user(self, command):
        return ["runuser", "-u", self.user, "--", *command] if os.geteuid() == 0 else list(command)

    def _run(self, *command):
        # pg_ctl's server inherits what is printed to, so it must not be a pipe.
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(
                self._as_user(map(str, command)),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
            )
            said.seek(0)
            text = said.read()
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} failed:\n{text[-2000:]}")
        return text

    def sql(self, text):
        return self._run(
            "psql", "-h", self.folder, "-U", "bench", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-c", text
        )

    def pgbench(self, clients, seconds):
        script = self.folder / "transaction.sql"
        shutil.copy(HERE / "transaction.sql", script)
        script.chmod(0o644)
        text = self._run(
            BIN / "pgbench",
            *("-n", "-M", "prepared", "-h", self.folder, "-U", "bench"),
            *("-D", f"keys={self.keys}", "-f", script, "-c", str(clients), "-j", "2", "-T", str(seconds), "postgres"),
        )
        return float(re.search(r"tps = ([\d.]+)", text).group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._run(BIN / "pg_ctl", "-D", self.data, "-m", "immediate", "stop")


@contextlib.contextmanager
def fastify_server(postgres, processes, pool):
    port = free_port()
    server = subprocess.Popen(
        ["node", HERE / "fastify.mjs", *map(str, (port, postgres.folder, postgres.keys, processes, pool))],
        cwd=fastify(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "NODE_ENV": "production"},
    )
    try:
        wait_for_port(port, server)
        yield f"http://127.0.0.1:{port}/turn"
    finally:
        server.terminate()
        server.wait()
