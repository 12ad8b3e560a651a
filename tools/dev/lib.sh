# shellcheck shell=bash
# What every ./dev command shares: where things are, how progress is shown, where guests' tools are.
# Sourced from the checkout's root.
root=$PWD
export CARREL_CACHE=${CARREL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/carrel}
mkdir -p "$CARREL_CACHE"

# Two clones of one commit, wherever they lie, share what ccache holds.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1

# CI may own the checkout under another name; git then wants to be told that it is meant.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=$root

say() { printf '%s\n' "$*" >&2; }
notice() { say "notice: $*"; }
die() {
  say "dev: $*"
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }
jobs_count() { echo "${CARREL_JOBS:-$(nproc)}"; }

# A digest of the standard input, or of files by name and content.
digest() { sha256sum | cut -c1-20; }
digest_files() { sha256sum "$@" | digest; }

carrel_version() { sed -nE 's/^project\(carrel VERSION ([0-9.]+).*/\1/p' CMakeLists.txt; }

# step LABEL COMMAND...: runs it with its output in a log; says where it is every ten seconds, and on
# failure shows the end of the log.
step() {
  local label=$1 log pid started=$SECONDS status=0
  shift
  mkdir -p "$CARREL_CACHE/logs"
  log=$CARREL_CACHE/logs/$(tr -cs 'a-zA-Z0-9\n' - <<<"$label").$$.log
  say "$label ..."
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  # shellcheck disable=SC2064  # the process of this very step
  trap "kill $pid 2>/dev/null; exit 130" INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if ((SECONDS - started >= 10 && (SECONDS - started) % 10 == 0)); then
      say "  $label: $((SECONDS - started)) s  $(tail -n 1 "$log" | tr -d '\r' | cut -c1-90)"
      sleep 1
    fi
  done
  wait "$pid" || status=$?
  trap - INT TERM
  if ((status != 0)); then
    tail -n 60 "$log" >&2
    die "$label failed (exit $status); the whole log is $log"
  fi
  rm -f "$log"
  ((SECONDS - started < 5)) || say "$label: done in $((SECONDS - started)) s"
}

# once NAME COMMAND...: one process at a time, so that two ./dev in two clones do not build the same.
once() {
  local name=$1
  shift
  mkdir -p "$CARREL_CACHE/locks"
  (
    flock 9
    "$@"
  ) 9>"$CARREL_CACHE/locks/$name"
}

# Where set-up puts things; each name carries the digest of what it was made from.
venv_dir() { echo "$CARREL_CACHE/venv/$({ cat tools/requirements.txt && python3 -VV; } | digest)"; }
asc_dir() { echo "$CARREL_CACHE/assemblyscript/$(digest <tools/assemblyscript/package-lock.json)"; }
components_dir() { echo "$CARREL_CACHE/components/$(digest <tools/components/package-lock.json)"; }
componentize_py_version() { echo 0.25.1; }
componentize_py_dir() { echo "$CARREL_CACHE/componentize-py/$(componentize_py_version)"; }
wit_bindgen_version() { echo 0.63.0; }
component_ld_version() { echo 0.5.31; }
wit_tools_dir() { echo "$CARREL_CACHE/wit-tools/$(wit_bindgen_version)-$(component_ld_version)"; }
zig_version() { echo 0.17.1; }
zig_dir() { echo "$CARREL_CACHE/zig/$(zig_version)"; }
node_dir() { echo "$CARREL_CACHE/node/$(digest <tools/node/package-lock.json)"; }
registry_version() { awk '$1 == "registry" { print $3 }' tools/dev/packages.txt; }
registry_dir() { echo "$CARREL_CACHE/docker-registry/$(registry_version)"; }
pebble_version() { echo v2.10.3; }
pebble_dir() { echo "$CARREL_CACHE/pebble/$(pebble_version)"; }
rust_sysroot_dir() {
  echo "$CARREL_CACHE/rust-wasm/$({ cat tools/rust-sysroot && /usr/bin/rustc -vV; } | digest)"
}

# What a guest's build.sh is given; a toolchain that is absent has no variable, and its guests are skipped.
guest_env() {
  if [ -e /usr/lib/wasm32-wasi/libc.a ] && have clang-19; then
    export CARREL_WASM_CC="clang-19 --target=wasm32-wasi"
    if [ -e /usr/lib/wasm32-wasi/libc++.a ]; then
      export CARREL_WASM_CXX="clang++-19 --target=wasm32-wasi -fno-exceptions"
    fi
  fi
  if [ -x /usr/bin/rustc ] && [ -d "$(rust_sysroot_dir)" ]; then
    RUST_WASM_SYSROOT=$(rust_sysroot_dir)
    export RUST_WASM_SYSROOT CARREL_WCARGO=$root/tools/wcargo
  fi
  if have go; then
    GO=$(command -v go)
    export GO
  fi
  if have node && [ -d "$(asc_dir)/node_modules" ]; then
    CARREL_ASC_HOME=$(asc_dir)
    export CARREL_ASC_HOME CARREL_ASC=$root/tools/asc
  fi
  if have node && [ -d "$(components_dir)/node_modules" ]; then
    CARREL_COMPONENTS_HOME=$(components_dir)
    export CARREL_COMPONENTS_HOME CARREL_COMPONENTS=$root/tools/components/component.mjs
  fi
  if [ -d "$(wit_tools_dir)/bin" ]; then
    CARREL_WIT_TOOLS=$(wit_tools_dir)/bin
    export CARREL_WIT_TOOLS
  fi
  if [ -d "$(componentize_py_dir)/componentize_py" ]; then
    CARREL_COMPONENTIZE_PY_HOME=$(componentize_py_dir)
    export CARREL_COMPONENTIZE_PY_HOME CARREL_COMPONENTIZE_PY=$root/tools/componentize-py
  fi
  if [ -x "$(zig_dir)/ziglang/zig" ]; then
    CARREL_ZIG=$(zig_dir)/ziglang/zig
    export CARREL_ZIG
  fi
}

python_of_venv() { echo "$(venv_dir)/bin/python"; }
