// A spill buffer: bytes in order, in memory up to a bound and then in an unnamed file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace carrel {

// Thread: one. The file is gone with the buffer, whatever ends the process.
class SpillBuffer {
 public:
  // `folder`: where the file is made; empty: the system's folder for temporary files.
  SpillBuffer(std::size_t in_memory, std::filesystem::path folder)
      : in_memory_(in_memory), folder_(std::move(folder)) {}

  std::uint64_t size() const { return size_; }
  bool spilled() const { return static_cast<bool>(file_); }
  // All of it, while it is in memory.
  std::string_view memory() const { return memory_; }

  // Errors: store_full, io. A failed append leaves the buffer as it was.
  Result<void> append(std::string_view bytes);
  // Up to `max` bytes from `at`; fewer at the end only. Errors: io.
  Result<std::string> read(std::uint64_t at, std::size_t max) const;

 private:
  Result<void> spill();

  std::size_t in_memory_;
  std::filesystem::path folder_;
  std::string memory_;
  Fd file_;
  std::uint64_t size_ = 0;
};

}  // namespace carrel
