// For this room's tests: WASI functions called by name on a memory of their own, without an engine.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wasi/fake_call.h"
#include "wasi/wasi.h"

namespace carrel::wasi::testing {

inline const wasm::HostFunction& function(std::string_view name,
                                          std::string_view module = "wasi_snapshot_preview1") {
  const auto rows = imports();
  const auto found = std::ranges::find_if(rows, [&](const wasm::HostFunction& row) {
    return row.name == name && row.module == module;
  });
  EXPECT_NE(found, rows.end()) << name;
  return *found;
}

class FakeGuest {
 public:
  explicit FakeGuest(Environment environment = {}, const Clock& clock = system_clock())
      : wasi(shard, clock, std::move(environment)), pointer(&wasi), call(&pointer) {}

  static constexpr std::uint32_t kResult = 64, kText = 4096, kOther = 16384, kBuffer = 65536;

  wasm::HostStatus start(const wasm::HostFunction& row,
                         const std::vector<std::uint64_t>& operands) {
    EXPECT_EQ(std::string_view(row.params).size(), operands.size()) << row.name;
    return row.function(call, operands.data(), &result_);
  }

  // Calls to the end, waiting as the engine would.
  Errno operator()(std::string_view name, const std::vector<std::uint64_t>& operands) {
    return run(function(name), operands);
  }
  Errno run(const wasm::HostFunction& row, const std::vector<std::uint64_t>& operands) {
    waits = 0;
    while (start(row, operands) == wasm::HostStatus::pending) {
      ++waits;
      shard.run_until_done(call.take_wait());
    }
    return last();
  }
  Errno last() const { return static_cast<Errno>(result_); }

  template <typename T>
  T load(std::uint32_t at) {
    return *call.memory().load<T>(wasm::GuestPtr{at});
  }
  template <typename T>
  void store(std::uint32_t at, T value) {
    EXPECT_TRUE(call.memory().store(wasm::GuestPtr{at}, value));
  }
  std::string text(std::uint32_t at, std::size_t size) {
    return std::string(*call.memory().text(wasm::GuestPtr{at}, size));
  }
  std::uint64_t put(std::string_view text, std::uint32_t at = kText) {
    std::ranges::copy(std::as_bytes(std::span(text)), call.bytes().begin() + at);
    return text.size();
  }

  // path_open from the first preopen; 0xffffffff and `last()` when it fails.
  std::uint32_t open(std::string_view path, std::uint64_t rights, std::uint64_t oflags = 0,
                     std::uint64_t fdflags = 0, std::uint64_t folder = 3) {
    const auto size = put(path);
    const Errno error =
        (*this)("path_open", {folder, 1, kText, size, oflags, rights, rights, fdflags, kResult});
    return error == Errno::success ? load<std::uint32_t>(kResult) : 0xffffffff;
  }
  std::string read(std::uint64_t fd, std::uint32_t size) {
    vector(kBuffer, size);
    if ((*this)("fd_read", {fd, kOther, 1, kResult}) != Errno::success) return "(failed)";
    return text(kBuffer, load<std::uint32_t>(kResult));
  }
  // -1 when it fails.
  int write(std::uint64_t fd, std::string_view text) {
    vector(kBuffer, static_cast<std::uint32_t>(put(text, kBuffer)));
    if ((*this)("fd_write", {fd, kOther, 1, kResult}) != Errno::success) return -1;
    return static_cast<int>(load<std::uint32_t>(kResult));
  }
  void vector(std::uint32_t buffer, std::uint32_t size, std::uint32_t at = kOther) {
    store(at, buffer);
    store(at + 4, size);
  }

  async::Shard shard;
  Wasi wasi;
  Wasi* pointer;
  FakeCall call;
  int waits = 0;

 private:
  std::int32_t result_ = -1;
};

}  // namespace carrel::wasi::testing
