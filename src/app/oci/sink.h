// Where the bytes of a blob go while they come: a file, or memory where no thread may wait for one.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace carrel::oci {

// Owner and thread: whoever fetches.
class Sink {
 public:
  Sink() = default;
  virtual ~Sink() = default;
  // Errors: io, store_full.
  virtual Result<void> write(std::string_view bytes) = 0;
  // All of it. Errors: io.
  virtual Result<std::string> content() const = 0;
  virtual void clear() = 0;

 protected:
  Sink(Sink&&) = default;
  Sink& operator=(Sink&&) = default;
};

class MemorySink final : public Sink {
 public:
  Result<void> write(std::string_view bytes) override {
    bytes_ += bytes;
    return {};
  }
  Result<std::string> content() const override { return bytes_; }
  void clear() override { bytes_.clear(); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

}  // namespace carrel::oci
