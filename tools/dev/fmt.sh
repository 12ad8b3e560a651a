# shellcheck shell=bash
# Formats in place what ./dev lint checks.
. tools/dev/setup.sh
. tools/dev/sources.sh

dev_fmt() {
  local files
  dev_setup
  cxx_files | xargs -d '\n' clang-format-19 -i
  mapfile -t files < <(python_files)
  ruff check --no-cache --quiet --fix --config tools/ruff.toml "${files[@]}" || notice "ruff has findings that want a hand"
  ruff format --no-cache --quiet --config tools/ruff.toml "${files[@]}"
  ! have rustfmt || rust_files | xargs -d '\n' rustfmt --edition 2024
  ! have gofmt || go_files | xargs -d '\n' gofmt -w
}
