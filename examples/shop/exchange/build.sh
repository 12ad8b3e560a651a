#!/bin/sh
# ./build.sh [OUTPUT]: builds the exchange function (C).
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/../build/exchange.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
${CARREL_WASM_CC:-clang-19 --target=wasm32-wasi} -std=gnu11 -Wall -Wextra -Os -Wl,--strip-all \
  -o "$out" exchange.c
