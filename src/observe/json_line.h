// One JSON object on one line, built by appending: what every log of Carrel is made of.
//
// Whatever bytes a value holds, the line is valid JSON in valid UTF-8 without control characters:
// guests and peers choose what ends up in a log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace carrel::observe {

// Appends `text` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& to, std::string_view text);

// The longest prefix of `text` of at most `max` bytes that does not cut a UTF-8 sequence.
std::string_view shorten(std::string_view text, std::size_t max);

// `text` for a terminal: control characters, escape sequences' included, become visible.
std::string printable(std::string_view text);

// Value type. Names are literals of this code base and are not escaped.
class JsonLine {
 public:
  JsonLine& add(std::string_view name, std::string_view value);
  JsonLine& add(std::string_view name, std::uint64_t value);
  JsonLine& add_signed(std::string_view name, std::int64_t value);
  JsonLine& add_time(std::string_view name, std::int64_t nanos_since_1970);  // RFC 3339, UTC
  JsonLine& add_id(std::string_view name, std::uint64_t value);              // hexadecimal

  std::string finish();

 private:
  void name(std::string_view name);
  std::string text_ = "{";
};

}  // namespace carrel::observe
