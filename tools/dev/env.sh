# shellcheck shell=bash
# Prints what a guest's build.sh is given, for the shell of someone who builds guests by hand.
dev_env() {
  local name
  guest_env
  echo "export CARREL_CACHE=$(printf %q "$CARREL_CACHE")"
  for name in CARREL_WASM_CC CARREL_WASM_CXX CARREL_WCARGO RUST_WASM_SYSROOT GO CARREL_ASC CARREL_ASC_HOME CARREL_COMPONENTS CARREL_COMPONENTS_HOME CARREL_WIT_TOOLS CARREL_COMPONENTIZE_PY CARREL_COMPONENTIZE_PY_HOME CARREL_ZIG; do
    [ -z "${!name:-}" ] || echo "export $name=$(printf %q "${!name}")"
  done
}
