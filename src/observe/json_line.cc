#include "observe/json_line.h"

#include <fmt/format.h>

#include <ctime>
#include <iterator>

namespace carrel::observe {
namespace {

bool continues(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

// Length of the well-formed UTF-8 sequence at `at` (RFC 3629: no overlong forms, no surrogates), or
// 0.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return 1;
  const auto second = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0U;
  if (first >= 0xC2 && first <= 0xDF) return continues(text, at + 1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool range = (first != 0xE0 || second >= 0xA0) && (first != 0xED || second < 0xA0);
    return range && continues(text, at + 1) && continues(text, at + 2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool range = (first != 0xF0 || second >= 0x90) && (first != 0xF4 || second < 0x90);
    return range && continues(text, at + 1) && continues(text, at + 2) && continues(text, at + 3)
               ? 4
               : 0;
  }
  return 0;
}

void append_escaped(std::string& to, char c) {
  switch (c) {
    case '"':
      to += "\\\"";
      return;
    case '\\':
      to += "\\\\";
      return;
    case '\n':
      to += "\\n";
      return;
    case '\r':
      to += "\\r";
      return;
    case '\t':
      to += "\\t";
      return;
    default:
      break;
  }
  if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
    fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<unsigned char>(c));
  } else {
    to += c;
  }
}

// C1 controls (U+0080 to U+009F) steer terminals as ESC does.
bool is_c1(std::string_view text, std::size_t at, std::size_t length) {
  return length == 2 && text[at] == '\xC2' && static_cast<unsigned char>(text[at + 1]) < 0xA0;
}

}  // namespace

void append_json_string(std::string& to, std::string_view text) {
  to += '"';
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    if (length == 0) {
      to += "\xEF\xBF\xBD";
      ++at;
      continue;
    }
    if (length == 1) {
      append_escaped(to, text[at]);
    } else if (is_c1(text, at, length)) {
      fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<unsigned char>(text[at + 1]));
    } else {
      to += text.substr(at, length);
    }
    at += length;
  }
  to += '"';
}

std::string_view shorten(std::string_view text, std::size_t max) {
  if (text.size() <= max) return text;
  std::size_t end = max;
  for (int back = 0; back < 3 && end > 0 && continues(text, end); ++back) --end;
  // Bytes that only continue are no sequence to spare.
  return text.substr(0, continues(text, end) ? max : end);
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    const auto byte = static_cast<unsigned char>(text[at]);
    if (length == 0 || is_c1(text, at, length) || byte == 0x7F || (byte < 0x20 && byte != '\t')) {
      const std::size_t bytes = length == 0 ? 1 : length;
      for (char c : text.substr(at, bytes)) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
      }
      at += bytes;
      continue;
    }
    out += text.substr(at, length);
    at += length;
  }
  return out;
}

void JsonLine::name(std::string_view name) {
  if (text_.size() > 1) text_ += ',';
  text_ += '"';
  text_ += name;
  text_ += "\":";
}

JsonLine& JsonLine::add(std::string_view name, std::string_view value) {
  this->name(name);
  append_json_string(text_, value);
  return *this;
}

JsonLine& JsonLine::add(std::string_view name, std::uint64_t value) {
  this->name(name);
  fmt::format_to(std::back_inserter(text_), "{}", value);
  return *this;
}

JsonLine& JsonLine::add_signed(std::string_view name, std::int64_t value) {
  this->name(name);
  fmt::format_to(std::back_inserter(text_), "{}", value);
  return *this;
}

JsonLine& JsonLine::add_time(std::string_view name, std::int64_t nanos) {
  this->name(name);
  const std::time_t seconds = nanos / 1'000'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  fmt::format_to(std::back_inserter(text_), "\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z\"",
                 parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                 parts.tm_sec, nanos % 1'000'000'000 / 1000);
  return *this;
}

JsonLine& JsonLine::add_id(std::string_view name, std::uint64_t value) {
  this->name(name);
  fmt::format_to(std::back_inserter(text_), "\"{:016x}\"", value);
  return *this;
}

std::string JsonLine::finish() {
  text_ += '}';
  return std::move(text_);
}

}  // namespace carrel::observe
