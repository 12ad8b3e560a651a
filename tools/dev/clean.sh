# shellcheck shell=bash
# Removes what was built here; --all also what other clones on this machine share.
dev_clean() {
  case ${1:-} in
    "" | --all) ;;
    *) die "usage: ./dev clean [--all]" ;;
  esac
  rm -rf build engine/target examples/*/build
  [ "${1:-}" != --all ] || rm -rf "${CARREL_CACHE:?}"
}
