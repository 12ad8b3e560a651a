#!/bin/sh
# Builds the module: ./build.sh [OUTPUT]. Needs Go 1.24 or newer.
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/build/hello.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
GOOS=wasip1 GOARCH=wasm ${GO:-go} build -trimpath -ldflags="-s -w" -o "$out" .
