# shellcheck shell=bash
# Installs what is missing, and only that: a second run finds everything and takes a moment.

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    die "needs root or sudo to run: $*"
  fi
}
apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"; }

# packages GROUP...: their names that are not installed.
missing_packages() {
  local wanted installed
  wanted=$(awk -v groups=" $* " '!/^#/ && index(groups, " " $1 " ") { print $2 }' tools/dev/packages.txt | sort)
  # shellcheck disable=SC2086  # a list
  installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $wanted 2>/dev/null |
    awk '$1 == "ii" { print $2 }' | sort -u)
  comm -23 <(echo "$wanted") <(echo "$installed")
}

# With the versions on record, and where Debian has moved on, with the ones it serves now.
apt_install() {
  local name version pinned=()
  for name in "$@"; do
    version=$(awk -v n="$name" '$2 == n { print $3 }' tools/dev/packages.txt)
    pinned+=("$name=$version")
  done
  apt install -y --no-install-recommends "${pinned[@]}" ||
    { echo "a recorded version is gone; installing what is served" && apt install -y --no-install-recommends "$@"; }
}

install_group() {
  local missing
  missing=$(missing_packages "$@")
  # shellcheck disable=SC2086  # a list
  step "setup: installing $(echo "$missing" | wc -w) Debian packages" apt_install $missing
}

setup_packages() {
  have dpkg-query || {
    notice "not Debian: see tools/dev/packages.txt for what must be there"
    return
  }
  local group missing
  [ -n "$(missing_packages build c cpp rust package)" ] || return 0
  step "setup: apt-get update" apt update -qq
  (install_group build c cpp rust package) && return
  say "setup: not all at once, so group by group"
  [ -z "$(missing_packages build)" ] || install_group build
  [ -z "$(missing_packages package)" ] || (install_group package) ||
    notice "the package is not tested: apt-get install $(missing_packages package | xargs)"
  for group in c cpp rust; do
    missing=$(missing_packages "$group" | xargs)
    [ -z "$missing" ] || (install_group "$group") || optional "$group" "apt-get install $missing"
  done
}

# A guest's toolchain is optional on a contributor's machine, and required in CI.
optional() {
  local what=$1 how=$2
  if [ "${CI:-}" = true ]; then
    die "CI needs the toolchain for guests in $what; get it with: $how"
  fi
  notice "guests in $what are skipped; to build them: $how"
}

fill_venv() {
  local new
  new=$(venv_dir).new
  rm -rf "$new"
  python3 -m venv "$new" && "$new/bin/pip" install -q --disable-pip-version-check -r tools/requirements.txt &&
    rm -rf "$(venv_dir)" && python3 -m venv "$(venv_dir)" && rm -rf "$new" &&
    "$(python_of_venv)" -m pip install -q --disable-pip-version-check -r tools/requirements.txt
}

fill_asc() {
  local new
  new=$(asc_dir).new
  rm -rf "$new" && mkdir -p "$new" && cp tools/assemblyscript/package*.json "$new" &&
    (cd "$new" && npm ci --no-audit --no-fund) && mv "$new" "$(asc_dir)"
}

# Unpacked, not installed: the package would start a service.
fill_registry() {
  local new version
  new=$(registry_dir).new version=$(registry_version)
  rm -rf "$new" && mkdir -p "$new" &&
    (cd "$new" && { apt-get download "docker-registry=$version" || apt-get download docker-registry; } &&
      dpkg -x docker-registry_*.deb . && rm docker-registry_*.deb) && mv "$new" "$(registry_dir)"
}

# An ACME server for the tests, from the Go module proxy.
fill_pebble() {
  local new
  new=$(pebble_dir).new
  rm -rf "$new" && mkdir -p "$new" &&
    GOBIN=$new go install "github.com/letsencrypt/pebble/v2/cmd/pebble@$(pebble_version)" && mv "$new" "$(pebble_dir)"
}

fill_components() {
  local new
  new=$(components_dir).new
  rm -rf "$new" && mkdir -p "$new" && cp tools/components/package*.json "$new" &&
    (cd "$new" && npm ci --no-audit --no-fund) && mv "$new" "$(components_dir)"
}

fill_node() {
  local new
  new=$(node_dir).new
  rm -rf "$new" && mkdir -p "$new" && cp tools/node/package*.json "$new" &&
    (cd "$new" && npm ci --no-audit --no-fund) && mv "$new" "$(node_dir)"
}

# Unoptimized: they run for moments, and build in half the time.
fill_wit_tools() {
  local new how
  new=$(wit_tools_dir).new
  how=(--locked --debug --root "$new" --target-dir "$new/build")
  rm -rf "$new" &&
    export CARGO_PROFILE_DEV_DEBUG=false &&
    cargo install "${how[@]}" "wasm-component-ld@$(component_ld_version)" &&
    cargo install "${how[@]}" --no-default-features --features c "wit-bindgen-cli@$(wit_bindgen_version)" &&
    rm -rf "$new/build" && mv "$new" "$(wit_tools_dir)"
}

fill_componentize_py() {
  local new
  new=$(componentize_py_dir).new
  rm -rf "$new" &&
    python3 -m pip install -q --disable-pip-version-check --no-deps --target "$new" \
      "componentize-py==$(componentize_py_version)" &&
    mv "$new" "$(componentize_py_dir)"
}

fill_zig() {
  local new
  new=$(zig_dir).new
  rm -rf "$new" &&
    python3 -m pip install -q --disable-pip-version-check --no-deps --target "$new" "ziglang==$(zig_version)" &&
    mv "$new" "$(zig_dir)"
}

# make LABEL DIR FILL: fills a folder of the cache once. FILL leaves DIR only when it is whole.
make_dir() {
  local label=$1 dir=$2 fill=$3
  [ -d "$dir" ] || once "$(basename "$(dirname "$dir")")" make_dir_locked "$label" "$dir" "$fill"
}
make_dir_locked() {
  [ -d "$2" ] || step "$1" "$3"
}

dev_setup() {
  [ "$(uname -m)" = x86_64 ] || notice "only x86_64 is tested"
  have python3 || die "python3 is missing: apt-get install python3 python3-venv"
  have cargo || die "cargo 1.95 or newer is missing: install Rust with rustup"
  setup_packages
  make_dir "setup: Python packages" "$(venv_dir)" fill_venv
  if have npm; then
    (make_dir "setup: AssemblyScript" "$(asc_dir)" fill_asc) || optional AssemblyScript "./dev setup, with a reachable npm registry"
    (make_dir "setup: tools for components" "$(components_dir)" fill_components) ||
      optional "JavaScript as components, and C's of the tests" "./dev setup, with a reachable npm registry"
    (make_dir "setup: what the package for Node needs" "$(node_dir)" fill_node) ||
      optional "the package for Node" "./dev setup, with a reachable npm registry"
  else
    optional AssemblyScript "install Node.js 20 or newer, then ./dev setup"
  fi
  (make_dir "setup: Zig" "$(zig_dir)" fill_zig) || optional Zig "./dev setup, with a reachable Python package index"
  if have dpkg && have apt-get; then
    (make_dir "setup: a registry for the tests" "$(registry_dir)" fill_registry) ||
      notice "tests with a real registry are skipped: apt-get update, then ./dev setup"
  fi
  if have dpkg-query && [ -n "$(missing_packages browser)" ]; then
    (step "setup: apt-get update" apt update -qq && install_group browser) ||
      notice "tests with a browser are skipped: apt-get install chromium"
  fi
  if have go; then
    (make_dir "setup: an ACME server for the tests" "$(pebble_dir)" fill_pebble) ||
      notice "tests with a real ACME server are skipped: ./dev setup, with a reachable Go module proxy"
  fi
  (make_dir "setup: tools for components in C and Rust (some minutes, once)" "$(wit_tools_dir)" fill_wit_tools) ||
    optional "C and Rust as components" "./dev setup, with a reachable crate registry"
  (make_dir "setup: componentize-py" "$(componentize_py_dir)" fill_componentize_py) ||
    optional Python "./dev setup, with a reachable Python package index"
  have go || optional Go "install Go 1.24 or newer"
  if [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ]; then
    (make_dir "setup: Rust's std for Wasm (a minute, once)" "$(rust_sysroot_dir)" fill_rust) ||
      optional Rust "./dev setup, after: apt-get install --reinstall rustc-web cargo-web rust-web-src"
  fi
}

fill_rust() { tools/rust-sysroot "$(rust_sysroot_dir)"; }
