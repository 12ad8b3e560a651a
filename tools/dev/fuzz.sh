# shellcheck shell=bash
# A fuzzer is named in FUZZ of a room's carrel_room(): x_fuzz.cc becomes the program ROOM_x_fuzz.
. tools/dev/build.sh

fuzz_targets() { sed -n 's/^\([a-z0-9_]*_fuzz\): phony.*/\1/p' <(ninja -C build/fuzz -t targets all) | sed '/^cmake_/d' | sort -u; }

dev_fuzz() {
  local target=${1:-} seconds=${2:-60} corpus found
  [[ "$seconds" =~ ^[0-9]+$ ]] || die "usage: ./dev fuzz [TARGET [SECONDS]]"
  dev_setup
  configure fuzz
  found=$(fuzz_targets)
  if [ -z "$target" ] || ! grep -qxF -- "$target" <<<"$found"; then
    say "fuzzers:"
    say "  ${found:-none yet}"
    [ -z "$target" ] || die "there is no fuzzer '$target'"
    return
  fi
  compile fuzz "$target"
  # What it finds worth keeping is kept in the cache; fuzz/corpus/ holds the seeds that are committed.
  corpus=("$CARREL_CACHE/fuzz/$target")
  [ ! -d "fuzz/corpus/$target" ] || corpus+=("fuzz/corpus/$target")
  mkdir -p "${corpus[0]}" build/fuzz/found
  "build/fuzz/bin/$target" -max_total_time="$seconds" -artifact_prefix=build/fuzz/found/ -print_final_stats=1 "${corpus[@]}"
}
