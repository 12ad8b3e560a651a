# shellcheck shell=bash
# Guests in real languages: every folder with a build.sh and a file `toolchain` that names its language.
# What is built is kept in the cache by the digest of its sources and its toolchain.

# language_variable LANGUAGE: the setting that guest_env exports where the toolchain is there.
language_variable() {
  case $1 in
    c) echo CARREL_WASM_CC ;;
    cpp) echo CARREL_WASM_CXX ;;
    rust) echo CARREL_WCARGO ;;
    go) echo GO ;;
    assemblyscript) echo CARREL_ASC ;;
    zig) echo CARREL_ZIG ;;
    component-c) echo CARREL_COMPONENTS ;;
    component-js) echo CARREL_COMPONENTS_HOME ;;
    component-python) echo CARREL_COMPONENTIZE_PY ;;
    *) die "no toolchain is called '$1'; known are: c cpp rust go assemblyscript zig component-{c,js,python}" ;;
  esac
}

language_help() {
  case $1 in
    c | cpp) echo "./dev setup installs clang-19, wasi-libc and libc++ on Debian 12" ;;
    rust) echo "./dev setup, after: apt-get install rustc-web cargo-web rust-web-src" ;;
    go) echo "install Go 1.24 or newer" ;;
    assemblyscript) echo "install Node.js 20 or newer, then ./dev setup" ;;
    zig | component-python) echo "./dev setup, with a reachable Python package index" ;;
    component-*) echo "install Node.js 20 or newer, then ./dev setup" ;;
  esac
}

language_version() {
  case $1 in
    c | cpp) clang-19 --version && sha256sum /usr/lib/wasm32-wasi/libc.a ;;
    rust) basename "$(rust_sysroot_dir)" && cat tools/wcargo ;;
    go) "$GO" version ;;
    assemblyscript) basename "$(asc_dir)" && cat tools/asc ;;
    zig) zig_version ;;
    component-c) clang-19 --version && cat tools/components/{package-lock.json,component.mjs} ;;
    component-js) cat tools/components/package-lock.json ;;
    component-python) componentize_py_version ;;
  esac
}

# A guest's own files: what git tracks or would track, so no build output.
guest_sources() {
  if git rev-parse --git-dir >/dev/null 2>&1; then
    git ls-files -co --exclude-standard -- "$1"
  else
    find "$1" -type f -not -path '*/target/*' -not -path '*/node_modules/*' -not -path '*/build/*'
  fi | LC_ALL=C sort -u | while read -r file; do [ ! -f "$file" ] || echo "$file"; done
}

guest_digest() {
  { guest_sources "$1" | xargs -d '\n' sha256sum && language_version "$2"; } | digest
}

# guest_fill FOLDER RESULT: compilers' intermediate files go to the cache, not into the checkout.
guest_fill() {
  local work=$CARREL_CACHE/guests/work/$$ result=$2
  mkdir -p "$work"
  env CARGO_TARGET_DIR="$CARREL_CACHE/guests/target/$(tr / - <<<"$1")" GOFLAGS=-buildvcs=false \
    ZIG_LOCAL_CACHE_DIR="$CARREL_CACHE/guests/zig" ZIG_GLOBAL_CACHE_DIR="$CARREL_CACHE/guests/zig" \
    "$1/build.sh" "$work/guest.wasm" || return
  [ "$(head -c 4 "$work/guest.wasm" | od -An -tx1)" = " 00 61 73 6d" ] || {
    echo "$1/build.sh did not write a Wasm module to the file it was given"
    return 1
  }
  chmod 644 "$work/guest.wasm"
  mv "$work/guest.wasm" "$result"
  rm -rf "$work"
}

guest_make() {
  [ -e "$2" ] || step "guest $1" guest_fill "$1" "$2"
}

# A changed file is replaced, never written into: a running server may have it open.
place() {
  cmp -s "$1" "$2" && return
  mkdir -p "$(dirname "$2")"
  cp "$1" "$2.new" && mv "$2.new" "$2"
}

guest_output() {
  case $1 in
    examples/*) echo "$(dirname "$1")/build/$(basename "$1").wasm" ;;
    *) echo "build/guests/$(basename "$1").wasm" ;;
  esac
}

build_guest() {
  local folder=$1 language variable cached
  language=$(cat "$folder/toolchain")
  variable=$(language_variable "$language") || return
  if [ -z "${!variable:-}" ]; then
    [ "${CI:-}" != true ] || die "CI needs the toolchain of $folder ($language): $(language_help "$language")"
    notice "$folder is skipped, as there is no toolchain for $language: $(language_help "$language")"
    return 0
  fi
  cached=$CARREL_CACHE/guests/$(guest_digest "$folder" "$language").wasm
  [ -e "$cached" ] || once guests guest_make "$folder" "$cached" || return
  place "$cached" "$(guest_output "$folder")"
}

# The same guest as a component: what conformance cases hold both kinds to.
component_fill() {
  node "$CARREL_COMPONENTS" new "$1" "$2.new" none command && mv "$2.new" "$2"
}
component_make() {
  [ -e "$2" ] || step "component of $1" component_fill "$1" "$2"
}
build_component() {
  local core=build/guests/$1.wasm cached
  [ -n "${CARREL_COMPONENTS:-}" ] && [ -e "$core" ] || return 0
  cached=$CARREL_CACHE/guests/$(digest_files "$core" tools/components/{package-lock.json,component.mjs}).wasm
  [ -e "$cached" ] || once guests component_make "$core" "$cached" || return
  place "$cached" "build/guests/$1_component.wasm"
}

build_guests() {
  local script
  guest_env
  mkdir -p "$CARREL_CACHE/guests"
  for script in examples/*/*/build.sh tests/guests/*/build.sh; do
    [ -e "$(dirname "$script")/toolchain" ] || continue
    build_guest "$(dirname "$script")" || die "the guest $(dirname "$script") was not built"
  done
  for script in hook keeper probe probe_rust; do
    build_component "$script" || die "the component of $script was not built"
  done
}
