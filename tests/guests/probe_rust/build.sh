#!/bin/sh
# ./build.sh OUTPUT: builds the probe in Rust.
set -eu
out=$(realpath -m "${1:?usage: build.sh OUTPUT}")
cd "$(dirname "$0")"
mkdir -p "$(dirname "$out")"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
${CARREL_WCARGO:-cargo} build --quiet --release --target wasm32-wasip1
cp "$CARGO_TARGET_DIR/wasm32-wasip1/release/probe_rust.wasm" "$out"
