// WASI preview 1: all 46 functions over a Tree, registered as `wasi_snapshot_preview1` and, where
// the signatures and layouts agree, as `wasi_unstable`.
//
// Descriptors 0, 1 and 2 are the streams given; preopens follow from 3. Times are coarse (1 ms) and
// never stand still; randomness is the system's. A function that must wait suspends the turn, never
// the thread.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "async/shard.h"
#include "base/clock.h"
#include "base/lazy.h"
#include "wasi/strings.h"
#include "wasi/tree.h"
#include "wasm/host.h"

namespace carrel::wasi {

struct Environment {
  Lazy<Strings> arguments;
  Lazy<Strings> variables;  // "NAME=value"
  Lazy<Tree> tree;
  std::vector<Preopen> preopens;
  std::unique_ptr<OpenFile> standard_in, standard_out, standard_error;  // null: not open
  std::size_t max_open_files = 1024;
  std::uint64_t private_memory = 64 << 20;  // bytes that /tmp and the like may hold
};

// The state behind one guest's WASI calls. Owner: the ABI's per-turn state, which is what
// `Call::state()` points to; the Instance that calls it goes first. Thread: its shard. Stops:
// destruction drops what is open.
class Wasi {
 public:
  Wasi(async::Shard& shard, const Clock& clock, Environment environment);
  ~Wasi();
  Wasi(const Wasi&) = delete;
  Wasi& operator=(const Wasi&) = delete;

  // Exit closes open files: the first error of any close so far, which fails the turn.
  Io<void> close_all();

  struct State;
  State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

// The rows for a linker. `Call::state()` must point to an object whose first member is a `Wasi*`.
std::span<const wasm::HostFunction> imports();

}  // namespace carrel::wasi
