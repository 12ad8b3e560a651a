#!/bin/sh
# ./build.sh [OUTPUT]: builds the stock function (C).
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/../build/stock.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
${CARREL_WASM_CC:-clang-19 --target=wasm32-wasi} -std=c11 -Wall -Wextra -Os -Wl,--strip-all \
  -o "$out" stock.c
