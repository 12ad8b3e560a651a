// A buffer that the engine archive fills, freed when it goes.
#pragma once

#include <carrel/buffer.h>

#include <string_view>

namespace carrel::document {

class ArchiveBuffer {
 public:
  ArchiveBuffer() = default;
  ~ArchiveBuffer() { carrel_buffer_free(&buffer_); }
  ArchiveBuffer(const ArchiveBuffer&) = delete;
  ArchiveBuffer& operator=(const ArchiveBuffer&) = delete;

  carrel_buffer* get() { return &buffer_; }
  std::string_view view() const {
    return {reinterpret_cast<const char*>(buffer_.data), buffer_.size};
  }

 private:
  carrel_buffer buffer_{};
};

inline const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

}  // namespace carrel::document
