# shellcheck shell=bash
# The engine archive, built once for each state of engine/ and each compiler, and kept outside the checkout.

engine_digest() {
  {
    (cd engine && find Cargo.toml Cargo.lock build.rs src -type f | LC_ALL=C sort | xargs sha256sum)
    rustc -vV
  } | digest
}

# Prints the folder that cargo's messages name for what build.rs wrote: other clones' are beside it.
engine_out_dir() {
  python3 - "$1" <<'PYTHON'
import json, sys

found = [
    message["out_dir"]
    for message in map(json.loads, filter(lambda line: line.startswith("{"), open(sys.argv[1])))
    if message["reason"] == "build-script-executed" and "/engine#" in message["package_id"]
]
print(found[-1])
PYTHON
}

# engine_share_headers FOLDER: headers are kept by what is in them, so that a change of the archive alone compiles
# nothing in C++ anew.
engine_share_headers() {
  local found shared
  found=$(cd "$1/include" && find . -type f | LC_ALL=C sort | xargs sha256sum | digest)
  shared=$CARREL_CACHE/engine/headers/$found
  mkdir -p "$CARREL_CACHE/engine/headers"
  [ -d "$shared" ] || cp -r "$1/include" "$shared"
  rm -rf "$1/include"
  ln -s "$shared" "$1/include"
}

# Whole or not there: the folder is filled under another name.
engine_fill() {
  local dir=$1 new=$1.new target=$CARREL_CACHE/engine/target symbol symbols
  rm -rf "$new"
  mkdir -p "$new/lib"
  env -u RUSTFLAGS CARGO_TARGET_DIR="$target" CARGO_BUILD_JOBS="$(jobs_count)" cargo build \
    --manifest-path engine/Cargo.toml --release --locked --message-format json-render-diagnostics >"$new/messages" || return
  cp "$target/release/libcarrel_engine.a" "$new/lib/" || return
  cp -r "$(engine_out_dir "$new/messages")/include" "$new/include" || return
  [ -e "$new/include/wasmtime/conf.h" ] || { echo "no wasmtime/conf.h among the headers" && return 1; }
  engine_share_headers "$new" || return
  # grep reads to the end: an early exit would end nm by a signal.
  symbols=$(nm --defined-only "$new/lib/libcarrel_engine.a" 2>/dev/null | awk '$2 == "T" { print $3 }')
  for symbol in wasmtime_module_new wasmtime_call_future_poll carrel_engine_new; do
    grep -qx "$symbol" <<<"$symbols" || { echo "the archive lacks $symbol" && return 1; }
  done
  [ "$(engine_digest)" = "$(basename "$dir")" ] || { echo "engine/ was changed while it was built: run this again" && return 1; }
  rm -rf "$new/messages" "$dir"
  mv "$new" "$dir"
}

engine_make() {
  [ -d "$1" ] || step "engine: building it (ten minutes on two cores, once)" engine_fill "$1"
}

dev_engine() {
  local dir
  have cargo || die "cargo 1.95 or newer is missing: install Rust with rustup"
  dir=$CARREL_CACHE/engine/$(engine_digest)
  [ -d "$dir" ] || once engine engine_make "$dir" || return
  echo "$dir"
}
