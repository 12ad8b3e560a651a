# shellcheck shell=bash
# The example shops, served and asked: functions and their state; hook points, and what customers make of them.
. tools/dev/build.sh

dev_demo() {
  local carrel=$PWD/build/release/bin/carrel
  dev_build release
  node_env
  "$(python_of_venv)" examples/shop/demo.py --carrel "$carrel" "$@"
  "$(python_of_venv)" examples/storefront/demo.py --carrel "$carrel" "$@"
}
