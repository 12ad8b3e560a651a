# shellcheck shell=bash
# Everything that is needed to run Carrel: build/PRESET/bin/carrel, the guests, and the packages for Python and Node.
. tools/dev/setup.sh
. tools/dev/engine.sh
. tools/dev/guests.sh
. tools/dev/bindings.sh

presets="release dev asan fuzz"

# configure PRESET: only when what decides about it has changed; CMake looks after its own files.
configure() {
  local preset=$1 build=build/$1 engine wanted
  engine=$(dev_engine) || die "there is no engine archive to link"
  wanted="$engine $(digest <CMakePresets.json)"
  [ ! -e "$build/build.ninja" ] || [ "$(cat "$build/configured" 2>/dev/null)" != "$wanted" ] || return 0
  CARREL_ENGINE_DIR=$engine step "carrel ($preset): configuring" \
    cmake --preset "$preset" "-DCARREL_ENGINE_DIR=$engine"
  echo "$wanted" >"$build/configured"
}

# compile PRESET [TARGET...]
compile() {
  local preset=$1
  shift
  configure "$preset"
  step "carrel ($preset): compiling" ninja -C "build/$preset" -j "$(jobs_count)" "$@"
}

dev_build() {
  local preset=${1:-release}
  [[ " $presets " == *" $preset "* ]] || die "there is no preset '$preset'; known are: $presets"
  dev_setup
  compile "$preset"
  build_guests
  [ "$preset" != release ] || build_packages
}
