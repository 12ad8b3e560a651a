// What a guest writes to a counter's file: "+3", "-1", "5", "-1 >=0", one a line.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace carrel::capability::counter {

struct Addition {
  std::int64_t delta = 0;
  std::optional<std::int64_t> floor;  // the turn fails rather than leave less
  bool operator==(const Addition&) const = default;
};

// The sum of all lines of `text`, with the highest floor; the last line may lack its newline, and
// blank lines count for nothing. Nothing: a line is no addition, the sum overflows, or there is
// none.
std::optional<Addition> parse(std::string_view text);

}  // namespace carrel::capability::counter
