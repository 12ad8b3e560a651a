#!/bin/sh
# ./build.sh [OUTPUT]: builds the module (Rust).
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/../build/tax.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
target=${CARGO_TARGET_DIR:-target}
CARGO_TARGET_DIR=$target ${CARREL_WCARGO:-cargo} build --locked --quiet --release --target wasm32-wasip1
cp "$target/wasm32-wasip1/release/tax.wasm" "$out"
