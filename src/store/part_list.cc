#include "store/part_list.h"

#include <algorithm>

namespace carrel::store {
namespace {

constexpr std::size_t kNumber = 4;
constexpr std::size_t kEntry = kNumber + std::tuple_size_v<PartHash>;

void append(std::string& out, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}

// Precondition: four bytes are there.
std::uint32_t take(std::string_view& bytes) {
  std::uint32_t number = 0;
  for (const char c : bytes.substr(0, kNumber)) {
    number = number << 8 | static_cast<std::uint8_t>(c);
  }
  bytes.remove_prefix(kNumber);
  return number;
}

std::optional<std::vector<PartUse>> parts_of_blob(std::string_view record) {
  const auto manifest = decode_manifest(record);
  if (!manifest) return {};
  std::vector<PartUse> parts;
  parts.reserve(manifest->parts.size());
  auto left = manifest->size;
  for (const PartHash& hash : manifest->parts) {
    const auto bytes = std::min<std::uint64_t>(left, kPartBytes);
    parts.push_back({.hash = hash, .bytes = static_cast<std::uint32_t>(bytes)});
    left -= bytes;
  }
  return parts;
}

}  // namespace

std::optional<std::vector<PartUse>> parts_of(Kind kind, std::string_view record) {
  if (kind == Kind::blob) return parts_of_blob(record);
  auto version = decode_version(record);
  if (!version) return {};
  return std::move(version->parts);
}

std::string encode_version(const std::vector<PartUse>& parts, std::string_view rest) {
  std::string out;
  out.reserve(kNumber + parts.size() * kEntry + rest.size());
  append(out, static_cast<std::uint32_t>(parts.size()));
  for (const PartUse& part : parts) {
    append(out, part.bytes);
    out.append(part.hash.begin(), part.hash.end());
  }
  out += rest;
  return out;
}

std::optional<VersionBytes> decode_version(std::string_view record) {
  if (record.size() < kNumber) return {};
  const std::size_t count = take(record);
  if (record.size() / kEntry < count) return {};
  VersionBytes version;
  version.parts.resize(count);
  for (PartUse& part : version.parts) {
    part.bytes = take(record);
    std::ranges::copy(record.substr(0, part.hash.size()), part.hash.begin());
    record.remove_prefix(part.hash.size());
  }
  version.rest = record;
  return version;
}

}  // namespace carrel::store
