#!/bin/sh
# ./build.sh [OUTPUT]: builds the shop's page (Zig).
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/../build/home.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
# The default stack of 16 MiB would be the most of this module's memory.
${CARREL_ZIG:-zig} build-exe main.zig -target wasm32-wasi -O ReleaseSmall --stack 262144 \
  -femit-bin="$out"
