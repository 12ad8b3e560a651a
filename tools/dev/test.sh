# shellcheck shell=bash
# Every test: unit tests, `carrel test` over case folders, and pytest against the built program.
. tools/dev/package.sh

results=build/test-results

# missing FILE: what stopped before it could count stands as one failure.
stopped() { [ -e "$1" ] || echo "0 passed, 1 failed" >"${1%.*}.txt"; }

# A build that fails ends the run here; a test that fails does not.
unit_tests() {
  local preset=$1 file=$PWD/$results/unit-$1.xml
  compile "$preset" unit_tests
  (step "unit tests ($preset)" \
    ctest --preset "$preset" -L '^unit$' -j "$(jobs_count)" --no-tests=error --output-junit "$file") || true
  stopped "$file"
}

# carrel_test NAME FOLDER [OPTION...]: the program ends with its counts; a status other than theirs is a failure.
carrel_test() {
  local file=$results/$1.txt status=0
  say "$1 ..."
  build/release/bin/carrel test "${@:2}" >"$file" 2>&1 </dev/null || status=$?
  if [ "$status" != 0 ]; then
    cat "$file" >&2
    grep -qE '^.*, [1-9][0-9]* failed' <(tail -n 1 "$file") || echo "0 passed, 1 failed" >>"$file"
  fi
}

# A component of wasi:cli 0.2 ends with 0 or 1.
component_exceptions=(event-exit-status an-event-that-exits-leaves-nothing)

# What wasi:filesystem 0.2 has no word for: sockets' errors are "io" there.
component_words='s/E(CONN(REFUSED|ABORTED|RESET)|TIMEDOUT|PROTO|HOSTUNREACH)$/EIO/'

# The same cases with the guests as components.
component_cases() {
  local suite target part
  [ -e build/guests/keeper_component.wasm ] || return 0
  rm -rf build/component-cases
  for suite in tests/conformance/*; do
    target=build/component-cases/$(basename "$suite")
    mkdir -p "$target"
    for part in "$suite"/*; do
      [ "$(basename "$part")" = carrel.toml ] || [ "$(basename "$part")" = tests ] || ln -s "$PWD/$part" "$target/"
    done
    mkdir "$target/tests"
    for part in "$suite"/tests/*; do
      [[ " ${component_exceptions[*]} " == *" $(basename "$part") "* ]] || cp -r "$part" "$target/tests/"
    done
    find "$target/tests" -name case.toml -exec sed -i -E "$component_words" {} +
    sed -E 's/(keeper|probe|probe_rust)\.wasm/\1_component.wasm/' "$suite/carrel.toml" >"$target/carrel.toml"
  done
  carrel_test conformance-components build/component-cases --variants
}

case_tests() {
  local folder
  [ ! -d tests/conformance ] || carrel_test conformance tests/conformance --variants
  component_cases
  for folder in examples/*/; do
    [ ! -d "${folder}tests" ] || carrel_test "example-$(basename "$folder")" "$folder"
  done
}

# Exit status 5 is pytest's for "no such tests": with none to run, that is no failure.
pytest_tests() {
  local file=$PWD/$results/pytest.xml status=0
  say "pytest ..."
  guest_env
  node_env
  CARREL_DOCKER_REGISTRY=$(registry_dir)/usr/bin/docker-registry CARREL_PEBBLE=$(pebble_dir)/pebble \
    CARREL=$PWD/build/release/bin/carrel CARREL_ROOT=$PWD CARREL_GUESTS=$PWD/build/guests \
    PYTHONDONTWRITEBYTECODE=1 "$(python_of_venv)" -m pytest -q --junitxml "$file" -p no:cacheprovider \
    -n "${CARREL_TEST_JOBS:-2}" --timeout 300 "$@" >&2 </dev/null || status=$?
  case $status in
    0 | 1 | 5) ;;
    *) rm -f "$file" ;;
  esac
  stopped "$file"
}

dev_test() {
  rm -rf "$results"
  dev_build release
  mkdir -p "$results"
  if [ $# -gt 0 ]; then
    pytest_tests "$@"
  else
    unit_tests release
    case_tests
    package_env
    pytest_tests tests
    [ "${CI:-}" != true ] || unit_tests asan
  fi
  "$(python_of_venv)" tools/dev/count.py "$results"/*
}
