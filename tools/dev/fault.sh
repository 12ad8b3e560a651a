# shellcheck shell=bash
# The long form of tests/fault: what the store survives, and components cancelled wherever they wait, many times over.
# ./dev test runs the short form.
. tools/dev/test.sh

dev_fault() {
  local rounds=300
  if [ "${1:-}" = --rounds ]; then
    rounds=${2:-}
    [[ "$rounds" =~ ^[1-9][0-9]*$ ]] || die "usage: ./dev fault [--rounds N] [ARGS]; ARGS go to pytest"
    shift 2
  fi
  rm -rf "$results"
  dev_build release
  mkdir -p "$results"
  step "components: 100000 cancellations" env CARREL_CANCELLATIONS=100000 build/release/bin/wasm_test \
    --gtest_filter='ComponentInstanceTest.CanBeCancelledWhereverItWaits' || return
  CARREL_FAULT_ROUNDS=$rounds pytest_tests tests/fault --timeout 7200 "$@"
  "$(python_of_venv)" tools/dev/count.py "$results"/*
}
