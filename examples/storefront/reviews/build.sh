#!/bin/sh
# ./build.sh [OUTPUT]: builds the module (AssemblyScript).
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/../build/reviews.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
${CARREL_ASC:-asc} reviews.ts --outFile "$out" -O3z --use abort=wasi/abort
