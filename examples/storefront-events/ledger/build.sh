#!/bin/sh
# ./build.sh [OUTPUT]: builds the module (C).
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/../build/ledger.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
${CARREL_WASM_CC:-clang-19 --target=wasm32-wasi} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Os -Wl,--strip-all \
  -o "$out" ledger.c
