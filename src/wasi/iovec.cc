#include "wasi/iovec.h"

#include <algorithm>

namespace carrel::wasi {

template <typename Byte>
void Vectors<Byte>::add(Buffer buffer) {
  bytes_ += buffer.size();
  if (many_.empty() && size_ < few_.size()) {
    few_[size_++] = buffer;
    return;
  }
  if (many_.empty()) many_.assign(few_.begin(), few_.end());
  many_.push_back(buffer);
}

template <typename Byte>
Io<Vectors<Byte>> Vectors<Byte>::read(const wasm::GuestMemory& memory, wasm::GuestPtr at,
                                      std::uint32_t count) {
  if (!memory.slice(at, std::uint64_t{count} * 8)) return fail(Errno::fault);
  Vectors vectors;
  for (std::uint32_t i = 0; i < std::min<std::size_t>(count, kMaxVectors); ++i, at = at + 8) {
    const auto size = *memory.load<std::uint32_t>(at + 4);
    const auto buffer = memory.slice(wasm::GuestPtr{*memory.load<std::uint32_t>(at)}, size);
    if (!buffer) return fail(Errno::fault);
    if (size == 0) continue;
    vectors.add(buffer->first(std::min(buffer->size(), kMaxTransfer - vectors.bytes_)));
    if (vectors.bytes_ == kMaxTransfer) break;
  }
  return vectors;
}

template class Vectors<std::byte>;
template class Vectors<const std::byte>;

}  // namespace carrel::wasi
