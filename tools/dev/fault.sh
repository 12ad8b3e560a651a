# shellcheck shell=bash
# The long form of tests/fault: what the store survives, many times over. ./dev test runs the short form.
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
  CARREL_FAULT_ROUNDS=$rounds pytest_tests tests/fault --timeout 7200 "$@"
  "$(python_of_venv)" tools/dev/count.py "$results"/*
}
