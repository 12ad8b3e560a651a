# shellcheck shell=bash
# The example shop, served and asked.
. tools/dev/build.sh

dev_demo() {
  dev_build release
  "$(python_of_venv)" examples/shop/demo.py --carrel "$PWD/build/release/bin/carrel" "$@"
}
