#!/bin/sh
# Builds the module: ./build.sh [OUTPUT]. Needs clang and a libc for WASI (see README.md).
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/build/hello.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
if [ -n "${CARREL_WASM_CC:-}" ]; then cc=$CARREL_WASM_CC
elif [ -n "${WASI_SDK_PATH:-}" ]; then cc=$WASI_SDK_PATH/bin/clang
elif command -v clang-19 >/dev/null; then cc="clang-19 --target=wasm32-wasi"
else cc="clang --target=wasm32-wasi"
fi
$cc -std=c11 -Wall -Wextra -Os -Wl,--strip-all -o "$out" hello.c
