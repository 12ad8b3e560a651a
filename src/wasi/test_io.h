// What node tests need: a turn's IoContext with a quota and a clock that is set by hand, and short
// ways to use files.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "wasi/node.h"

namespace carrel::wasi::testing {

class TestClock final : public Clock {
 public:
  Instant now() const override { return Instant(time); }
  WallTime wall() const override {
    return WallTime(std::chrono::duration_cast<WallTime::duration>(time));
  }
  std::chrono::nanoseconds time{1'000'000'000};
};

class TestIo final : public IoContext {
 public:
  explicit TestIo(std::int64_t quota = 64 << 20) : quota(quota) {}
  void wait_for(async::Task<void> until) override {
    ++waits;
    waiting = std::move(until);
  }
  const Clock& clock() const override { return test_clock; }
  bool charge_memory(std::int64_t bytes) override {
    if (bytes > 0 && charged + bytes > quota) return false;
    charged += bytes;
    most = std::max(most, charged);
    return true;
  }

  TestClock test_clock;
  std::int64_t quota;
  std::int64_t charged = 0, most = 0;
  int waits = 0;
  async::Task<void> waiting;  // the last
};

inline constexpr OpenHow kRead{.read = true};
inline constexpr OpenHow kWrite{.write = true};
inline constexpr OpenHow kReadWrite{.read = true, .write = true};
inline constexpr OpenHow kCreate{.create = true, .read = true, .write = true};
inline constexpr OpenHow kFolder{.folder = true, .read = true};

template <typename T>
Errno error_of(const Io<T>& result) {
  return result ? Errno::success : result.error();
}

inline Io<std::size_t> write(IoContext& io, OpenFile& file, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return file.write(io, {&bytes, 1});
}

inline Io<std::size_t> write_at(IoContext& io, OpenFile& file, std::string_view text,
                                std::uint64_t at) {
  const auto bytes = std::as_bytes(std::span(text));
  return file.write_at(io, {&bytes, 1}, at);
}

// At most `max` bytes; "error N" when refused.
inline std::string read(IoContext& io, OpenFile& file, std::size_t max = 4096) {
  std::string text(max, '?');
  const auto bytes = std::as_writable_bytes(std::span(text));
  const auto done = file.read(io, {&bytes, 1});
  if (!done) return "error " + std::to_string(static_cast<int>(done.error()));
  return text.substr(0, *done);
}

inline std::string read_at(IoContext& io, OpenFile& file, std::uint64_t at,
                           std::size_t max = 4096) {
  std::string text(max, '?');
  const auto bytes = std::as_writable_bytes(std::span(text));
  const auto done = file.read_at(io, {&bytes, 1}, at);
  if (!done) return "error " + std::to_string(static_cast<int>(done.error()));
  return text.substr(0, *done);
}

// Creates or empties a file and writes `text`; all of it or an error.
inline Errno put(IoContext& io, Node& node, std::string_view path, std::string_view text) {
  const auto file = node.open(io, path, {.create = true, .truncate = true, .write = true});
  if (!file) return file.error();
  const auto done = text.empty() ? Io<std::size_t>{0} : write(io, **file, text);
  const auto closed = (*file)->close(io);
  if (!done) return done.error();
  if (*done != text.size()) return Errno::io;
  return error_of(closed);
}

inline std::string get(IoContext& io, Node& node, std::string_view path) {
  const auto file = node.open(io, path, kRead);
  if (!file) return "error " + std::to_string(static_cast<int>(file.error()));
  auto text = read(io, **file);
  static_cast<void>((*file)->close(io));
  return text;
}

// All names in a folder, `step` a call, in the order they come.
inline std::vector<std::string> names(IoContext& io, Node& node, std::string_view path,
                                      std::size_t step = 2) {
  std::vector<std::string> all;
  const auto folder = node.open(io, path, kFolder);
  if (!folder) return {"error " + std::to_string(static_cast<int>(folder.error()))};
  for (std::uint64_t cookie = 0;;) {
    const auto some = (*folder)->list(io, cookie, step);
    if (!some) all.push_back("error " + std::to_string(static_cast<int>(some.error())));
    if (!some || some->empty()) break;
    for (const auto& entry : *some) all.push_back(entry.name);
    cookie = some->back().next;
  }
  static_cast<void>((*folder)->close(io));
  return all;
}

}  // namespace carrel::wasi::testing
