// Which parts a record refers to, for the kinds that refer to any.
//
//   Kind::blob      a manifest (parts.h)
//   Kind::version   count (4 bytes) | for each: size (4) | hash (32) | then what is not the store's
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/key.h"
#include "store/parts.h"

namespace carrel::store {

struct PartUse {
  PartHash hash{};
  std::uint32_t bytes = 0;
  bool operator==(const PartUse&) const = default;
};

constexpr bool refers_to_parts(Kind kind) { return kind == Kind::blob || kind == Kind::version; }

// `record`: its bytes. Nothing: it is damaged.
std::optional<std::vector<PartUse>> parts_of(Kind kind, std::string_view record);

// A record of Kind::version: its parts, then `rest`.
std::string encode_version(const std::vector<PartUse>& parts, std::string_view rest);
struct VersionBytes {
  std::vector<PartUse> parts;
  std::string_view rest;  // into what was decoded
};
std::optional<VersionBytes> decode_version(std::string_view record);  // nothing: damaged

}  // namespace carrel::store
