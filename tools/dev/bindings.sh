# shellcheck shell=bash
# The packages over libcarrel: build/release/python/carrel-*.whl and build/release/node/carrel-*.tgz. Each holds the
# library and the program that compiles modules.

# What a package is made of; its folder has the digest of the last one, and is left alone while that is the same.
bindings_digest() {
  {
    carrel_version
    sha256sum tools/dev/bindings.sh include/carrel/carrel.h build/release/lib/{libcarrel.so.1,carrel/carrel-compile}
    find "bindings/$1" -type f -not -path '*/__pycache__/*' -exec sha256sum {} + | LC_ALL=C sort
  } | digest
}

# stage_library FOLDER: libcarrel and carrel-compile as they are installed.
stage_library() {
  local stage
  mkdir -p "$1" && stage=$(mktemp -d)
  cmake --install build/release --component embed --prefix "$stage" --strip || return
  mkdir -p "$1/carrel"
  cp "$stage/lib/libcarrel.so.1" "$1/" && cp "$stage/lib/carrel/carrel-compile" "$1/carrel/"
  rm -rf "$stage"
}

make_python_package() {
  local out=$PWD/build/release/python
  rm -rf "$out" && mkdir -p "$out/source" && cp -r bindings/python/. "$out/source" && cp LICENSE "$out/source/" || return
  stage_library "$out/source/carrel/_lib" || return
  CC=clang-19 CXX=clang++-19 LDSHARED="clang++-19 -shared" CARREL_INCLUDE=$PWD/include CARREL_VERSION=$(carrel_version) \
    "$(python_of_venv)" -m pip wheel -q --disable-pip-version-check --no-build-isolation --no-deps -w "$out" "$out/source"
}

make_node_package() {
  local out=$PWD/build/release/node package=$PWD/build/release/node/carrel version
  version=$(carrel_version)
  rm -rf "$out" && mkdir -p "$package" && cp -r bindings/node/. "$package" && cp LICENSE "$package/" || return
  stage_library "$package/lib" || return
  clang++-19 -std=c++20 -O2 -fPIC -shared -Wall -Wextra -Werror -fvisibility=hidden -Iinclude \
    -I"$(node_dir)/node_modules/node-api-headers/include" -o "$package/lib/carrel.node" bindings/node/native/*.cc \
    "$package/lib/libcarrel.so.1" "-Wl,-rpath,\$ORIGIN" || return
  rm -rf "$package/native"
  (cd "$package" && npm version --no-git-tag-version --allow-same-version "$version" &&
    npm pack --silent --pack-destination ..)
}

# Where npm has put what tests and benchmarks use, if it has.
node_env() {
  [ -d "$(node_dir)/node_modules" ] || return 0
  CARREL_NODE_HOME=$(node_dir)
  export CARREL_NODE_HOME
}

# build_package NAME FUNCTION
build_package() {
  local made
  made=$(bindings_digest "$1")
  [ "$(cat "build/release/$1/digest" 2>/dev/null)" != "$made" ] || return 0
  step "package for $1" "$2"
  echo "$made" >"build/release/$1/digest"
}

build_packages() {
  build_package python make_python_package
  if [ -d "$(node_dir)/node_modules" ]; then
    build_package node make_node_package
  else
    notice "the package for Node is not made: install Node.js 20 or newer, then ./dev setup"
  fi
}
