// Where something stands among a hundred, for who gets a share of it. The same in every process, so
// that what was one's share stays it over a restart.
#pragma once

#include <cstdint>
#include <string_view>

namespace carrel {

// 0 to 99. Numbers that follow each other are spread over all (SplitMix64's last step).
constexpr unsigned place_among_hundred(std::uint64_t number) {
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9ULL;
  number = (number ^ (number >> 27)) * 0x94d049bb133111ebULL;
  return static_cast<unsigned>((number ^ (number >> 31)) % 100);
}

// Of a text (FNV-1a).
constexpr unsigned place_among_hundred(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ULL;
  return place_among_hundred(hash);
}

}  // namespace carrel
