#!/bin/sh
# Builds the module: ./build.sh [OUTPUT]. Needs node and npm, which fetch the compiler once.
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/build/hello.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
if [ -n "${CARREL_ASC:-}" ]; then
  asc=$CARREL_ASC
else
  asc=node_modules/.bin/asc
  [ -x "$asc" ] || npm install
fi
$asc hello.ts --outFile "$out" -O3z --use abort=wasi/abort
