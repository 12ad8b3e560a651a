// Bytes received and not yet used. Grows to a bound; a view into it is valid until bytes are added.
// What it lets go of is wiped: secrets arrive this way as well.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace carrel::net {

class Buffer {
 public:
  Buffer() = default;
  ~Buffer() { wipe(); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void swap(Buffer& other) noexcept {
    data_.swap(other.data_);
    std::swap(capacity_, other.capacity_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
  }

  std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  std::size_t size() const { return end_ - begin_; }
  std::size_t capacity() const { return capacity_; }

  void consume(std::size_t bytes) {
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  // Room behind the bytes, moving or growing them up to `most`; empty when they fill that.
  std::span<char> room(std::size_t most) {
    if (end_ == capacity_) make_room(most);
    return {data_.get() + end_, capacity_ - end_};
  }
  void added(std::size_t bytes) { end_ += bytes; }

  void release() {
    wipe();
    data_.reset();
    capacity_ = begin_ = end_ = 0;
  }

 private:
  static constexpr std::size_t kFirst = 4 << 10;

  void make_room(std::size_t most) {
    const std::size_t kept = size();
    if (begin_ > 0 && (begin_ >= capacity_ / 2 || capacity_ >= most)) {
      std::memmove(data_.get(), data_.get() + begin_, kept);
    } else {
      const std::size_t grown = std::min(most, std::max(kFirst, capacity_ * 2));
      if (grown <= capacity_) return;
      auto data = std::make_unique_for_overwrite<char[]>(grown);
      if (kept > 0) std::memcpy(data.get(), data_.get() + begin_, kept);
      wipe();
      data_ = std::move(data);
      capacity_ = grown;
    }
    begin_ = 0;
    end_ = kept;
  }
  void wipe() {
    if (capacity_ > 0) explicit_bzero(data_.get(), capacity_);
  }

  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace carrel::net
