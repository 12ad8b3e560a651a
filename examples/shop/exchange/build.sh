#!/bin/sh
# ./build.sh [OUTPUT]: builds the exchange (JavaScript, a component).
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/../build/exchange.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
tools=${CARREL_COMPONENTS_HOME:?is not set; eval \"\$(./dev env)\" sets it}/node_modules/.bin
"$tools/componentize-js" --wit world.wit --world-name exchange --out "$out" exchange.js
