#!/bin/sh
# Builds the component: ./build.sh [OUTPUT]. Needs clang, a libc for WASI, wit-bindgen and wasm-component-ld
# (see README.md).
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/build/hello.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")" build/bindings
PATH=${CARREL_WIT_TOOLS:+$CARREL_WIT_TOOLS:}${WASI_SDK_PATH:+$WASI_SDK_PATH/bin:}$PATH
# --rename: short names for what is in an interface, http_... for wasi_http_types_...
wit-bindgen c world.wit --out-dir build/bindings --rename wasi:http/types@0.2.3=http \
  --rename wasi:io/streams@0.2.3=io --rename wasi:http/incoming-handler@0.2.3=handler
if [ -n "${CARREL_WASM_CC:-}" ]; then cc=$CARREL_WASM_CC
elif command -v clang-19 >/dev/null; then cc="clang-19 --target=wasm32-wasi"
else cc="clang --target=wasm32-wasi"
fi
command -v wasm-component-ld >/dev/null || { echo "wasm-component-ld is not in PATH (see README.md)" >&2 && exit 1; }
# It runs LLVM's linker and makes a component of the module.
$cc -mexec-model=reactor -std=c11 -Wall -Wextra -Os -Ibuild/bindings -fuse-ld="$(command -v wasm-component-ld)" \
  -Wl,--wasm-ld-path="$(command -v wasm-ld-19 || command -v wasm-ld)" -Wl,--strip-all -o "$out" \
  hello.c build/bindings/function.c build/bindings/function_component_type.o
