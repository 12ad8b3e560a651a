#!/bin/sh
# ./build.sh [OUTPUT]: builds the module (Go).
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/../build/parcels.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
GOOS=wasip1 GOARCH=wasm ${GO:-go} build -trimpath -ldflags="-s -w" -o "$out" .
