#!/bin/sh
# ./build.sh [OUTPUT]: builds the sales chart (AssemblyScript).
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/../build/chart.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
${CARREL_ASC:-asc} chart.ts --outFile "$out" -O3z --use abort=wasi/abort
