#!/bin/sh
# Builds the component: ./build.sh [OUTPUT]. Needs node and npm, which fetch componentize-js once.
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/build/hello.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
tools=${CARREL_COMPONENTS_HOME:-$PWD}/node_modules/.bin
[ -x "$tools/componentize-js" ] || npm install --no-audit --no-fund
"$tools/componentize-js" --wit world.wit --world-name function --out "$out" hello.js
