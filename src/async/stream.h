// Byte streams between parts of a shard: a source that fills as bytes arrive.
//
// Reading never waits; who finds nothing waits for `wait()` and reads again, so a slow producer
// costs no thread and a slow consumer pushes back.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/result.h"

namespace carrel::async {

// Owner: whoever produces the bytes; outlives its readers. Thread: one shard. One reader.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Bytes copied; 0: none now, or the end (`finished`), or a failure (`wait` says which).
  virtual std::size_t read(std::span<std::byte> into) = 0;
  // True if there are bytes to read now.
  virtual bool ready() const = 0;
  // True once every byte has been read.
  virtual bool finished() const = 0;
  // Returns when reading would move on. Errors are the source's, and final.
  virtual Task<Result<void>> wait() = 0;
};

// Bytes that are all there already, and outlive it.
class ViewSource : public ByteSource {
 public:
  explicit ViewSource(std::string_view bytes) : left_(bytes) {}
  ViewSource(const ViewSource&) = delete;
  ViewSource& operator=(const ViewSource&) = delete;

  std::size_t read(std::span<std::byte> into) override {
    const std::size_t n = std::min(into.size(), left_.size());
    std::memcpy(into.data(), left_.data(), n);
    left_.remove_prefix(n);
    return n;
  }
  bool ready() const override { return !left_.empty(); }
  bool finished() const override { return left_.empty(); }
  Task<Result<void>> wait() override { co_return Result<void>(); }

 protected:
  std::string_view left_;
};

// The same, which it keeps itself.
class MemorySource final : public ViewSource {
 public:
  explicit MemorySource(std::string bytes = {}) : ViewSource({}), bytes_(std::move(bytes)) {
    left_ = bytes_;
  }

 private:
  std::string bytes_;
};

}  // namespace carrel::async
