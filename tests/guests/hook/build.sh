#!/bin/sh
# ./build.sh OUTPUT: builds the module for hook points (C).
set -eu
out=$(realpath -m "${1:?usage: build.sh OUTPUT}")
cd "$(dirname "$0")"
mkdir -p "$(dirname "$out")"
# The stack comes first in memory, so that a recursion without end traps and overwrites nothing.
${CARREL_WASM_CC:-clang-19 --target=wasm32-wasi} -std=gnu11 -Wall -Wextra -O1 \
  -Wl,--stack-first,-z,stack-size=262144 -o "$out" main.c
