#!/bin/sh
# Builds the module: ./build.sh [OUTPUT]. Needs cargo and Rust's wasm32-wasip1 target (see README.md).
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/build/hello.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
${CARREL_WCARGO:-cargo} build --quiet --release --target wasm32-wasip1
cp "$CARGO_TARGET_DIR/wasm32-wasip1/release/hello.wasm" "$out"
