#include "store/record.h"

namespace carrel::store {
namespace {

constexpr char kPlain = 0, kExpires = 1;

void append_big_endian(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
}

std::uint64_t big_endian(std::string_view eight) {
  std::uint64_t number = 0;
  for (const char byte : eight) number = number << 8 | static_cast<std::uint8_t>(byte);
  return number;
}

}  // namespace

std::string encode(const Record& record) {
  std::string out;
  out.reserve(9 + record.bytes.size());
  out += record.expires == 0 ? kPlain : kExpires;
  if (record.expires != 0) append_big_endian(out, record.expires);
  out += record.bytes;
  return out;
}

std::optional<RecordView> view_record(std::string_view encoded) {
  if (encoded.starts_with(kPlain)) return RecordView{.bytes = encoded.substr(1)};
  if (!encoded.starts_with(kExpires) || encoded.size() < 9) return {};
  return RecordView{.bytes = encoded.substr(9), .expires = big_endian(encoded.substr(1, 8))};
}

std::optional<Record> decode_record(std::string_view encoded) {
  const auto view = view_record(encoded);
  if (!view) return {};
  return Record{.bytes = std::string(view->bytes), .expires = view->expires};
}

std::uint64_t milliseconds(WallTime time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

std::string encode_count(std::int64_t count) {
  std::string out;
  append_big_endian(out, static_cast<std::uint64_t>(count));
  return out;
}

std::optional<std::int64_t> decode_count(std::string_view bytes) {
  if (bytes.size() != 8) return {};
  return static_cast<std::int64_t>(big_endian(bytes));
}

}  // namespace carrel::store
