# shellcheck shell=bash
# Everything that can be said about the code without running it. All checks run; one line sums up.
. tools/dev/build.sh
. tools/dev/sources.sh

check_format() { cxx_files | xargs -d '\n' clang-format-19 --dry-run -Werror; }
check_layers() { tools/layers; }
check_tidy() { "$(python_of_venv)" tools/dev/tidy.py build/release "$CARREL_CACHE/tidy" "$(jobs_count)"; }
check_shell() { shell_files | xargs -d '\n' shellcheck -x; }
check_python() {
  local files
  mapfile -t files < <(python_files)
  ruff check --no-cache --config tools/ruff.toml "${files[@]}" || return
  ruff format --no-cache --check --config tools/ruff.toml "${files[@]}"
}
# rustfmt and gofmt come with the toolchains; where those are absent there are no such guests either.
check_rust() { ! have rustfmt || rust_files | xargs -d '\n' rustfmt --check --edition 2024; }
check_go() {
  have gofmt || return 0
  local unformatted
  unformatted=$(go_files | xargs -d '\n' gofmt -l)
  [ -z "$unformatted" ] || { echo "not as gofmt has it: $unformatted" && return 1; }
}
# A package's version is what Debian serves; the user is one that the package makes.
check_container() { "$(venv_dir)/bin/hadolint" --ignore DL3008 --ignore DL3066 packaging/Containerfile; }

dev_lint() {
  local check passed=0 failed=() started
  dev_setup
  compile release
  for check in format layers shell python container rust go tidy; do
    started=$SECONDS
    if "check_$check"; then
      say "lint: $check: ok ($((SECONDS - started)) s)"
      passed=$((passed + 1))
    else
      say "lint: $check: FAILED"
      failed+=("$check")
    fi
  done
  [ ${#failed[@]} = 0 ] || say "lint: ./dev fmt mends what is only a matter of format"
  echo "lint: $passed of $((passed + ${#failed[@]})) checks passed${failed[*]:+; failed: ${failed[*]}}"
  [ ${#failed[@]} = 0 ]
}
