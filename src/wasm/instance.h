// An instance: a module brought to life in a fresh store, and the calls into it.
//
// Nothing survives it: memory, tables, globals and stacks go back to the pool wiped. While the guest runs it
// has the shard for a slice of at most one tick; then the run queue decides who is next. When a host function
// waits, the shard serves others.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/shard.h"
#include "wasm/linker.h"

namespace carrel::wasm {

struct CallLimits {
  std::uint64_t memory = 64ULL << 20;            // bytes of linear memory
  Nanos cpu = std::chrono::milliseconds(50);     // of this instance, over all its calls
  Instant deadline = Instant::max();             // wall time
};

struct Frame {
  std::string function;  // empty: the module has no names
  std::uint64_t offset;  // in the module's binary
};

// How a call ended: data, never a text to match.
struct Outcome {
  enum class End : std::uint8_t {
    returned,   // the export returned
    exited,     // the guest ended itself, with `exit_code`
    trapped,    // `trap` says why, `frames` where
    aborted,    // a host function ended it: `trap` says why
    refused,    // it could not be instantiated: `trap` says why
    cpu_limit,
    deadline,
  };
  End end = End::returned;
  std::uint32_t exit_code = 0;
  std::string trap;
  std::vector<Frame> frames;
  Nanos cpu{};                     // used by this instance so far
  std::uint64_t memory_peak = 0;   // bytes

  bool ok() const { return end == End::returned || (end == End::exited && exit_code == 0); }
};

// Owner: the turn. Thread: its shard. Stops: destruction cancels a call in progress and frees the slot.
class Instance final : public Call {
 public:
  // `state` is what host functions get as `Call::state()`. `account` pays for the CPU time.
  Instance(async::Shard& shard, async::RunAccount& account, const Prepared& prepared, void* state,
           const CallLimits& limits);
  ~Instance() override;
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // `hook` is called with `Call::state()` each time the guest has given up the shard without having ended:
  // a tick is over, or it waits. It may start work of its own, such as sending what the guest has written.
  void on_leave(void (*hook)(void* state) noexcept);

  // Instantiates (running a start function), then calls an export without operands or results.
  async::Task<Outcome> run(std::string_view export_name);

  GuestMemory memory() override;
  bool waiting() const { return static_cast<bool>(pending_); }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::wasm
