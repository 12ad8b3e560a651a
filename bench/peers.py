"""The HTTP suite's peers and guests: nginx and wrk from Debian, `wasmtime serve` from its crate."""

import os
import tomllib
from pathlib import Path

from harness import CACHE, PEERS, ROOT, apt, digest, note, once, run

WASMTIME_VERSION = next(
    package["version"]
    for package in tomllib.loads((ROOT / "engine/Cargo.lock").read_text())["package"]
    if package["name"] == "wasmtime"
)
JCO_VERSION = "1.35.0"
HERE = ROOT / "bench/http"
BODY = b"Hello from a fresh instance!\n"


def wasmtime():
    def make(new):
        note("building wasmtime-cli (ten minutes or more, once)")
        run(
            ["cargo", "install", "--locked", "wasmtime-cli", "--version", WASMTIME_VERSION, "--root", new],
            env={**os.environ, "CARGO_TARGET_DIR": str(PEERS / "wasmtime-target")},
        )

    return once(PEERS / f"wasmtime-{WASMTIME_VERSION}", make) / "bin/wasmtime"


def wit_folder():
    homes = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    found = sorted(homes.glob(f"registry/src/*/wasmtime-wasi-http-{WASMTIME_VERSION}/wit"))
    if not found:
        run(["cargo", "fetch", "--manifest-path", ROOT / "engine/Cargo.toml"])
        found = sorted(homes.glob(f"registry/src/*/wasmtime-wasi-http-{WASMTIME_VERSION}/wit"))
    return found[0]


def jco():
    def make(new):
        new.mkdir()
        (new / "package.json").write_text('{"private": true}\n')
        run(["npm", "install", "--no-audit", "--no-fund", f"@bytecodealliance/jco@{JCO_VERSION}"], cwd=new)

    return once(PEERS / f"jco-{JCO_VERSION}", make)


def compile_c(source, out, *flags):
    run(["clang-19", "--target=wasm32-wasi", "-O2", "-Wl,--strip-all,-z,stack-size=16384", *flags, "-o", out, source])


def hello_command():
    """The guest as a WASI command."""
    source = HERE / "hello.c"
    return once(CACHE / "bench" / f"hello-{digest(source)}.wasm", lambda new: compile_c(source, new))


def hello_component():
    """The same source as a wasi:http component."""
    source = HERE / "hello.c"
    script = HERE / "componentize.mjs"

    def make(new):
        core = new.with_suffix(".core")
        run(
            [
                "clang-19",
                "--target=wasm32-wasi",
                "-mexec-model=reactor",
                "-DCOMPONENT",
                "-O2",
                "-Wl,-z,stack-size=16384",
                "-o",
                core,
                source,
            ]
        )
        run(["node", script, core, wit_folder(), new], cwd=jco())
        core.unlink()

    return once(CACHE / "bench" / f"hello-{digest(source, script)}.component.wasm", make)


def nginx_config(folder, port):
    """nginx with one worker, serving the guest's bytes from a file."""
    apt("nginx-light")
    (folder / "www").mkdir()
    (folder / "www/hello").write_bytes(BODY)
    config = folder / "nginx.conf"
    config.write_text(f"""
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{"user root;" if os.geteuid() == 0 else ""}
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  open_file_cache max=100;
  keepalive_requests 1000000000;
  default_type text/plain;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; }}
}}
""")
    return ["nginx", "-c", config, "-p", folder]
