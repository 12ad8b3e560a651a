#!/bin/sh
# ./build.sh OUTPUT: builds the component (C).
set -eu
out=$(realpath -m "${1:?usage: build.sh OUTPUT}")
cd "$(dirname "$0")"
mkdir -p "$(dirname "$out")"
clang-19 --target=wasm32-wasi -std=gnu11 -Wall -Wextra -O1 -o "$out.core" main.c
node "${CARREL_COMPONENTS:?is not set; eval \"\$(./dev env)\" sets it}" new "$out.core" "$out" world.wit command
rm "$out.core"
