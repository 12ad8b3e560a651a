#include "capability/counter/additions.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace carrel::capability::counter {
namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Addition> parse_line(std::string_view line) {
  Addition addition;
  if (const auto floor = line.find(">="); floor != std::string_view::npos) {
    addition.floor = parse_number(trim(line.substr(floor + 2)));
    if (!addition.floor) return std::nullopt;
    line = trim(line.substr(0, floor));
  }
  const auto delta = parse_number(line);
  if (!delta) return std::nullopt;
  addition.delta = *delta;
  return addition;
}

}  // namespace

std::optional<Addition> parse(std::string_view text) {
  std::optional<Addition> sum;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    const auto addition = parse_line(line);
    if (!addition) return std::nullopt;
    if (!sum) {
      sum = addition;
      continue;
    }
    if (__builtin_add_overflow(sum->delta, addition->delta, &sum->delta)) return std::nullopt;
    if (addition->floor) sum->floor = std::max(sum->floor.value_or(INT64_MIN), *addition->floor);
  }
  return sum;
}

}  // namespace carrel::capability::counter
