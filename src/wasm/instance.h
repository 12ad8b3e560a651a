// An instance: a module brought to life in a fresh store, and the calls into it.
//
// Nothing survives it: memory, tables, globals and stacks go back to the pool wiped. While the
// guest runs it has the shard for a slice of at most one tick; then the run queue decides who is
// next. When a host function waits, the shard serves others.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/shard.h"
#include "base/guest_use.h"
#include "wasm/linker.h"

struct wasmtime_caller;

namespace carrel::wasm {

struct CallLimits {
  std::uint64_t memory = 64ULL << 20;         // bytes of linear memory
  Nanos cpu = std::chrono::milliseconds(50);  // of this instance, over all its calls
  Instant deadline = Instant::max();          // wall time
  GuestUse* use = nullptr;                    // told what it uses; outlives it; may be null
};

struct Frame {
  std::string function;  // empty: the module has no names; the guest's own text, 256 bytes at most
  std::uint64_t offset;  // in the module's binary
};

// How a call ended: data, never a text to match.
struct Outcome {
  enum class End : std::uint8_t {
    returned,     // the export returned
    exited,       // the guest ended itself, with `exit_code`
    trapped,      // `trap` says why, `frames` where
    aborted,      // a host function ended it: `trap` says why, `frames` where
    refused,      // it could not be started: `trap` says why
    cpu_limit,    // `frames` says where it was
    deadline,     // `frames` says where it was, unless it waited
    bad_reply,    // a component gave no whole response: `trap` says why
    bad_request,  // the request cannot be put to a component: `trap` says why
  };
  End end = End::returned;
  std::uint32_t exit_code = 0;
  std::string trap;
  std::vector<Frame> frames;
  Nanos cpu{};                    // used by this instance so far
  std::uint64_t memory_peak = 0;  // bytes; 0: it exports none

  bool ok() const { return end == End::returned || (end == End::exited && exit_code == 0); }
};

// Owner: the turn. Thread: its shard. Stops: destruction cancels a call in progress and frees the
// slot.
class Instance final : public Call {
 public:
  // `state` is what host functions get as `Call::state()`. `account` pays for the CPU time.
  Instance(async::Shard& shard, async::RunAccount& account, const Prepared& prepared, void* state,
           const CallLimits& limits);
  ~Instance() override;
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // `hook` is called with `Call::state()` each time the guest has given up the shard without having
  // ended: a tick is over, or it waits. It may start work of its own, such as sending what the
  // guest has written.
  enum class Leave : std::uint8_t { tick_over, waits };
  void on_leave(void (*hook)(void* state, Leave why) noexcept);

  // Instantiates (running a start function), then calls an export without operands or results.
  // Once.
  async::Task<Outcome> run(std::string_view export_name);

  GuestMemory memory() override;

 private:
  friend class HostCall;
  void meet(wasmtime_caller* caller);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::wasm
