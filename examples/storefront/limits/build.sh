#!/bin/sh
# ./build.sh [OUTPUT]: builds the module (C), and makes a component of it.
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/../build/limits.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
clang-19 --target=wasm32-wasi -std=gnu11 -Wall -Wextra -Os -Wl,--strip-all -o "$out.core" limits.c
node "${CARREL_COMPONENTS:?is not set; eval \"\$(./dev env)\" sets it}" new "$out.core" "$out" none command
rm "$out.core"
