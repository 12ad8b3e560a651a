#!/bin/sh
# ./build.sh [OUTPUT]: builds the order form (C).
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/../build/order.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
${CARREL_WASM_CC:-clang-19 --target=wasm32-wasi} -std=c11 -Wall -Wextra -Os -Wl,--strip-all \
  -o "$out" order.c form.c json.c
