// A record: what a key holds, and until when.
//
//   flags (1 byte) | expiry (8, big-endian milliseconds since 1970; if flag 1) | bytes
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace carrel::store {

inline constexpr std::size_t kMaxValue = 1 << 20;  // bytes

struct Record {
  std::string bytes;
  std::uint64_t expires = 0;  // milliseconds since 1970; 0: never
};

std::string encode(const Record& record);
std::optional<Record> decode_record(std::string_view encoded);  // nothing: damaged

// Without copying the bytes.
struct RecordView {
  std::string_view bytes;
  std::uint64_t expires = 0;
};
inline std::optional<RecordView> view_of(const std::optional<Record>& record) {
  if (!record) return {};
  return RecordView{.bytes = record->bytes, .expires = record->expires};
}
std::optional<RecordView> view_record(std::string_view encoded);

std::uint64_t milliseconds(WallTime time);

// A counter's record holds its value as 8 bytes, big-endian two's complement.
std::string encode_count(std::int64_t count);
std::optional<std::int64_t> decode_count(std::string_view bytes);

}  // namespace carrel::store
