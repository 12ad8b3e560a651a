#!/bin/sh
# Builds the component: ./build.sh [OUTPUT]. Needs cargo and Rust's wasm32-wasip2 target (see README.md).
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/build/hello.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
target=wasm32-wasip2
if [ -n "${CARREL_WCARGO:-}" ]; then
  # A Rust without that target: a module of wasm32-wasip1, linked as that target links.
  target=wasm32-wasip1
  PATH=${CARREL_WIT_TOOLS:+$CARREL_WIT_TOOLS:}$PATH
  WASM_LD=$(command -v wasm-component-ld)
  wasm_ld=$(command -v wasm-ld-19 || command -v wasm-ld)
  export WASM_LD CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS="-Clink-arg=--wasm-ld-path=$wasm_ld"
fi
${CARREL_WCARGO:-cargo} build --quiet --release --target "$target"
cp "$CARGO_TARGET_DIR/$target/release/hello.wasm" "$out"
