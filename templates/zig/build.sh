#!/bin/sh
# Builds the module: ./build.sh [OUTPUT]. Needs Zig 0.17 (see README.md).
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/build/hello.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
if [ -n "${CARREL_ZIG:-}" ]; then zig=$CARREL_ZIG
elif command -v zig >/dev/null; then zig=zig
else zig="python3 -m ziglang"
fi
# The default stack of 16 MiB would be the most of this module's memory.
$zig build-exe main.zig -target wasm32-wasi -O ReleaseSmall --stack 262144 -femit-bin="$out"
