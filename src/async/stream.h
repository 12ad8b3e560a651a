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

// Bytes that are all there already.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string bytes = {}) : bytes_(std::move(bytes)) {}

  std::size_t read(std::span<std::byte> into) override {
    const std::size_t n = std::min(into.size(), bytes_.size() - position_);
    std::memcpy(into.data(), bytes_.data() + position_, n);
    position_ += n;
    return n;
  }
  bool ready() const override { return position_ < bytes_.size(); }
  bool finished() const override { return position_ == bytes_.size(); }
  Task<Result<void>> wait() override { co_return Result<void>(); }

 private:
  std::string bytes_;
  std::size_t position_ = 0;
};

}  // namespace carrel::async
