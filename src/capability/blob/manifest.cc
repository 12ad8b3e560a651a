#include "capability/blob/manifest.h"

#include <algorithm>
#include <tuple>

namespace carrel::capability::blob {
namespace {

constexpr std::size_t kSize = 8;
constexpr std::size_t kHash = std::tuple_size_v<store::PartHash>;

}  // namespace

std::uint64_t parts_of(std::uint64_t size) {
  return size / store::kPartBytes + (size % store::kPartBytes != 0 ? 1 : 0);
}

std::uint64_t size_of(std::string_view bytes) {
  if (bytes.size() < kSize) return 0;
  std::uint64_t size = 0;
  for (const char c : bytes.substr(0, kSize)) size = size << 8 | static_cast<std::uint8_t>(c);
  return size;
}

void set_size(std::string& bytes, std::uint64_t size) {
  bytes.resize(kSize + parts_of(size) * kHash);
  for (std::size_t i = 0; i < kSize; ++i) {
    bytes[i] = static_cast<char>(size >> (8 * (kSize - 1 - i)) & 0xff);
  }
}

store::PartHash part_at(std::string_view bytes, std::uint64_t index) {
  store::PartHash hash{};
  bytes.copy(reinterpret_cast<char*>(hash.data()), kHash, kSize + index * kHash);
  return hash;
}

void set_part(std::string& bytes, std::uint64_t index, const store::PartHash& hash) {
  std::ranges::copy(hash, bytes.begin() + static_cast<std::ptrdiff_t>(kSize + index * kHash));
}

}  // namespace carrel::capability::blob
