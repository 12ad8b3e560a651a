#include "wasi/context.h"

namespace carrel::wasi {

Io<std::span<std::byte>> Context::slice(GuestPtr at, std::uint64_t size) const {
  auto bytes = memory_.slice(at, size);
  if (!bytes) return fail(Errno::fault);
  return *bytes;
}

Io<std::string_view> Context::text(GuestPtr at, std::uint64_t size) const {
  auto bytes = memory_.text(at, size);
  if (!bytes) return fail(Errno::fault);
  return *bytes;
}

Errno Context::yield() {
  wait_for(state_.shard.sleep_until(std::chrono::steady_clock::now()));
  return Errno::again;
}

bool Context::charge_memory(std::int64_t bytes) {
  if (bytes > 0 && static_cast<std::uint64_t>(bytes) > state_.memory_left) return false;
  state_.memory_left -= static_cast<std::uint64_t>(bytes);
  return true;
}

void Context::exit(std::uint32_t code) {
  call_->exit(code);
  ended_ = true;
}

void Context::abort(std::string reason) {
  call_->abort(std::move(reason));
  ended_ = true;
}

wasm::HostStatus Context::finish(const Io<void>& result, std::int32_t* errno_out) {
  if (ended_) return wasm::HostStatus::trap;
  const Errno error = result ? Errno::success : result.error();
  if (error == Errno::again && until_ && suspends_ == wasm::Suspends::maybe) {
    call_->wait_for(std::move(*until_));
    return wasm::HostStatus::pending;
  }
  state_.progress = {};
  *errno_out = static_cast<std::int32_t>(error);
  return wasm::HostStatus::done;
}

}  // namespace carrel::wasi
