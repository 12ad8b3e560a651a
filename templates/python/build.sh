#!/bin/sh
# Builds the component: ./build.sh [OUTPUT]. Needs Python 3.10 or newer, which fetches componentize-py once.
set -eu
here=$(dirname "$0")
out=$(realpath -m "${1:-$here/build/hello.wasm}")
cd "$here"
mkdir -p "$(dirname "$out")"
if [ -n "${CARREL_COMPONENTIZE_PY:-}" ]; then tool=$CARREL_COMPONENTIZE_PY
else
  tool=.venv/bin/componentize-py
  [ -x "$tool" ] || { python3 -m venv .venv && .venv/bin/pip install -q componentize-py==0.25.1; }
fi
# Below a folder of its own: what lies beside the source is taken along.
mkdir -p build/source && cp hello.py build/source/
$tool -d world.wit -w function componentize -p build/source hello -o "$out"
