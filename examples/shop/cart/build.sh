#!/bin/sh
# ./build.sh [OUTPUT]: builds the cart function (Python, a component).
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/../build/cart.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
# In a folder of its own: what lies beside the source is taken along.
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
cp cart.py "$source/"
${CARREL_COMPONENTIZE_PY:-componentize-py} -d world.wit -w cart componentize -p "$source" cart -o "$out"
