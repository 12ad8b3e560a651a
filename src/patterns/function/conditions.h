// Conditions and ranges of a GET (RFC 9110, sections 13 and 14): pure functions of header values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace carrel::function {

// True if an If-None-Match header ("*", or a list of entity tags, weak or not) names `etag`, by
// weak comparison. A malformed list names nothing.
bool none_match_names(std::string_view header, std::string_view etag);

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};

struct RangeAnswer {
  enum class Kind : std::uint8_t { whole, part, unsatisfiable };
  Kind kind = Kind::whole;
  ByteRange range;
};

// What a Range header asks of `size` bytes. Malformed ones, other units and lists of ranges mean
// the whole, as the RFC allows.
RangeAnswer range_of(std::string_view header, std::uint64_t size);

}  // namespace carrel::function
