#!/bin/sh
# ./build.sh OUTPUT: builds the probe in Go.
set -eu
out=$(realpath -m "${1:?usage: build.sh OUTPUT}")
cd "$(dirname "$0")"
mkdir -p "$(dirname "$out")"
GOOS=wasip1 GOARCH=wasm ${GO:-go} build -trimpath -ldflags="-s -w" -o "$out" .
