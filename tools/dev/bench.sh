# shellcheck shell=bash
# A benchmark suite is a bench/suite_NAME.py that runs as a program; the other files there are its parts.
. tools/dev/build.sh

suites() { for file in bench/suite_*.py; do basename -s .py "$file" | sed 's/^suite_//'; done; }

dev_bench() {
  local suite=${1:-}
  if [ -z "$suite" ] || ! suites | grep -xF -- "$suite" >/dev/null; then  # which reads to the end
    say "suites:"
    suites | sed 's/^/  /' >&2
    [ -z "$suite" ] || die "there is no suite '$suite'"
    return
  fi
  shift
  dev_build release
  guest_env
  "$(python_of_venv)" "bench/suite_$suite.py" --carrel "$PWD/build/release/bin/carrel" "$@"
}
