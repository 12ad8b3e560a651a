// For this room's tests and fuzzer: a call without an engine, on a memory of its own, and a clock
// that is set.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "wasm/host.h"

namespace carrel::wasi::testing {

inline constexpr std::uint32_t kMemory = 1 << 20;

// Stands still until it is told.
class FakeClock final : public Clock {
 public:
  Instant now() const override { return Instant(passed + std::chrono::seconds(1000)); }
  WallTime wall() const override { return WallTime(std::chrono::seconds(1'800'000'000) + passed); }
  Nanos passed{};
};

class FakeCall final : public wasm::Call {
 public:
  explicit FakeCall(void* state) : wasm::Call(state), bytes_(kMemory) {}

  wasm::GuestMemory memory() override { return {bytes_.data(), bytes_.size()}; }
  std::vector<std::byte>& bytes() { return bytes_; }

  async::Task<void> take_wait() { return std::exchange(pending_, {}); }
  std::optional<std::uint32_t> exit_code() const { return exit_code_; }
  const std::string& abort_reason() const { return abort_reason_; }

 private:
  std::vector<std::byte> bytes_;  // exactly the memory: an access outside is an error of the heap
};

}  // namespace carrel::wasi::testing
