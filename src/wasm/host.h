// Host functions: what a guest may import, and what such a function sees of the call it serves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "async/task.h"
#include "wasm/memory.h"

namespace carrel::wasm {

enum class HostStatus : std::uint8_t { done, pending, trap };

// One call into a guest, as its host functions see it.
//
// Owner: the Instance that makes the call. Thread: its shard.
class Call {
 public:
  virtual ~Call() = default;

  // The guest's memory as it is now. Valid until the guest runs again.
  virtual GuestMemory memory() = 0;

  // What the ABI keeps for this call: given to Instance at its making, of the type the ABI knows.
  void* state() const { return state_; }

  // For a function that may suspend: leaves what to wait for, then returns `pending`; it is called
  // again with the same operands once `until` has ended. Destroying the call destroys `until`.
  void wait_for(async::Task<void> until) { pending_ = std::move(until); }

  // For a function that ends the guest on its own wish; it then returns `trap`.
  void exit(std::uint32_t code) { exit_code_ = code; }
  // For a function that ends the guest because of a fault; it then returns `trap`.
  void abort(std::string reason) { abort_reason_ = std::move(reason); }

 protected:
  explicit Call(void* state) : state_(state) {}
  async::Task<void> pending_;
  std::optional<std::uint32_t> exit_code_;
  std::string abort_reason_;

 private:
  void* state_;
};

// `args` are the operands in order, i32 zero-extended to 64 bits. An exception that leaves it ends
// the guest.
using HostFn = HostStatus (*)(Call& call, const std::uint64_t* args, std::int32_t* result);

enum class Suspends : std::uint8_t { never, maybe };
enum class Returns : std::uint8_t { nothing, i32 };

// A row of an ABI's table of imports. Texts are literals.
struct HostFunction {
  std::string_view module;
  std::string_view name;
  const char* params;  // 'i' for i32, 'I' for i64
  HostFn function;
  Suspends suspends = Suspends::never;
  Returns returns = Returns::i32;  // functions that may suspend return an i32
};

}  // namespace carrel::wasm
