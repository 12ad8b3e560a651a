// One host call, as the functions of this room see it: the guest's memory, its state, and how to
// wait.
#pragma once

#include <optional>
#include <string_view>

#include "wasi/state.h"
#include "wasm/host.h"

namespace carrel::wasi {

using wasm::GuestPtr;

// A place in the guest's memory for a result, checked before anything is done.
template <typename T>
class Output {
 public:
  explicit Output(std::byte* at) : at_(at) {}
  void set(T value) const { std::memcpy(at_, &value, sizeof value); }

 private:
  std::byte* at_;
};

// Owner: the frame of the host call. Thread: the shard of the guest.
class Context final : public IoContext {
 public:
  Context(Wasi::State& state, wasm::Call* call, wasm::Suspends suspends)
      : state_(state), call_(call), suspends_(suspends) {
    if (call != nullptr) memory_ = call->memory();
  }

  Wasi::State& state() { return state_; }
  FileTable& files() { return state_.files; }
  Progress& progress() { return state_.progress; }
  const wasm::GuestMemory& memory() const { return memory_; }

  // EFAULT when it is not inside the memory.
  Io<std::span<std::byte>> slice(GuestPtr at, std::uint64_t size) const;
  Io<std::string_view> text(GuestPtr at, std::uint64_t size) const;
  template <typename T>
  Io<Output<T>> output(GuestPtr at) const {
    auto bytes = slice(at, sizeof(T));
    if (!bytes) return fail(bytes.error());
    return Output<T>(bytes->data());
  }

  // A node's wish to wait. Kept only if this call may suspend.
  void wait_for(async::Task<void> until) override { until_ = std::move(until); }
  std::optional<async::Task<void>> take_wait() { return std::exchange(until_, std::nullopt); }
  // For a descriptor that must not wait: EAGAIN goes to the guest.
  void never_wait() { suspends_ = wasm::Suspends::never; }
  // Lets others run, then the same call is made again.
  Errno yield();

  const Clock& clock() const override { return state_.clock; }
  bool charge_memory(std::int64_t bytes) override;

  void exit(std::uint32_t code);
  void abort(std::string reason);

  // The last word of a call: what the engine is told.
  wasm::HostStatus finish(const Io<void>& result, std::int32_t* errno_out);

 private:
  Wasi::State& state_;
  wasm::Call* call_;
  wasm::Suspends suspends_;
  wasm::GuestMemory memory_;
  std::optional<async::Task<void>> until_;
  bool ended_ = false;
};

}  // namespace carrel::wasi
