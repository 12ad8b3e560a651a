#include "patterns/function/conditions.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace carrel::function {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view opaque(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  return etag;
}

// Digits only; what is too large counts as the largest.
std::optional<std::uint64_t> number(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
    return {};
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? value : std::numeric_limits<std::uint64_t>::max();
}

}  // namespace

bool none_match_names(std::string_view header, std::string_view etag) {
  header = trim(header);
  if (header == "*") return true;
  while (!header.empty()) {
    const bool weak = header.starts_with("W/");
    const std::size_t quote = weak ? 2 : 0;
    if (quote >= header.size() || header[quote] != '"') return false;
    const auto end = header.find('"', quote + 1);
    if (end == std::string_view::npos) return false;
    if (header.substr(quote, end + 1 - quote) == opaque(etag)) return true;
    header = trim(header.substr(end + 1));
    if (header.empty()) return false;
    if (header.front() != ',') return false;
    while (!header.empty() &&
           (header.front() == ',' || header.front() == ' ' || header.front() == '\t')) {
      header.remove_prefix(1);
    }
  }
  return false;
}

RangeAnswer range_of(std::string_view header, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  header = trim(header);
  if (!header.starts_with(kUnit)) return {};
  const std::string_view spec = trim(header.substr(kUnit.size()));
  const auto dash = spec.find('-');
  if (dash == std::string_view::npos || spec.find(',') != std::string_view::npos) return {};
  const auto first = number(spec.substr(0, dash));
  const auto last = number(spec.substr(dash + 1));
  const bool to_end = dash + 1 == spec.size();
  if (dash == 0) {  // the last N bytes
    if (!last) return {};
    if (*last == 0 || size == 0) return {.kind = RangeAnswer::Kind::unsatisfiable};
    const std::uint64_t length = std::min(*last, size);
    return {.kind = RangeAnswer::Kind::part, .range = {size - length, length}};
  }
  if (!first || (!last && !to_end) || (last && *last < *first)) return {};
  if (*first >= size) return {.kind = RangeAnswer::Kind::unsatisfiable};
  const std::uint64_t end = last ? std::min(*last, size - 1) : size - 1;
  return {.kind = RangeAnswer::Kind::part, .range = {*first, end - *first + 1}};
}

}  // namespace carrel::function
