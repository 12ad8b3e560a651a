#include "app/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace carrel::app {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 4> kSizes{
    {{"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"B", 1}}};
constexpr std::array<Unit, 5> kDurations{{{"h", 3'600'000'000'000ULL},
                                          {"m", 60'000'000'000ULL},
                                          {"s", 1'000'000'000ULL},
                                          {"ms", 1'000'000ULL},
                                          {"us", 1'000ULL}}};

template <std::size_t N>
std::optional<std::uint64_t> parse(std::string_view text, const std::array<Unit, N>& units) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return {};
  const auto digits = static_cast<std::size_t>(end - text.data());
  if (digits > 1 && text.front() == '0') return {};
  const auto unit = std::ranges::find(units, text.substr(digits), &Unit::name);
  if (unit == units.end()) return {};
  if (number > std::numeric_limits<std::int64_t>::max() / unit->factor) return {};
  return number * unit->factor;
}

template <std::size_t N>
std::string print(std::uint64_t value, const std::array<Unit, N>& units) {
  for (const Unit& unit : units) {
    if (value >= unit.factor && value % unit.factor == 0) {
      return fmt::format("{}{}", value / unit.factor, unit.name);
    }
  }
  return fmt::format("{}{}", value / units.back().factor, units.back().name);
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) { return parse(text, kSizes); }
std::string size_text(std::uint64_t bytes) { return print(bytes, kSizes); }

std::optional<Nanos> parse_duration(std::string_view text) {
  const auto count = parse(text, kDurations);
  if (!count) return {};
  return Nanos(static_cast<std::int64_t>(*count));
}

std::string duration_text(Nanos span) {
  return print(static_cast<std::uint64_t>(span.count()), kDurations);
}

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  if (!is_lower(text.front()) && !is_digit(text.front())) return false;
  return std::ranges::all_of(
      text, [](char c) { return is_lower(c) || is_digit(c) || c == '-' || c == '_'; });
}

bool is_variable(std::string_view text) {
  if (text.empty() || text.size() > 128 || is_digit(text.front())) return false;
  return std::ranges::all_of(text, [](char c) {
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '_';
  });
}

}  // namespace carrel::app
