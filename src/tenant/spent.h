// What modules have used: the figures that a provider bills by.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/id.h"

namespace carrel::tenant {

// Value type. Sums, so that adding is all that is done to them.
struct Spent {
  std::uint64_t turns = 0;      // begun
  std::uint64_t failures = 0;   // of them: not ended well, or given up because the client left
  std::uint64_t refused = 0;    // not begun: over a limit, or no room
  std::uint64_t cpu = 0;        // nanoseconds, of all runs of all turns
  std::uint64_t memory = 0;     // KiB held for a millisecond
  std::uint64_t bytes_in = 0;   // of events' bodies, as guests read them
  std::uint64_t bytes_out = 0;  // of replies, as guests write them
  std::uint64_t calls = 0;      // to the outside
  std::uint64_t log_bytes = 0;

  bool operator==(const Spent&) const = default;
  Spent& operator+=(const Spent& more);
};

// Who used it.
struct Spender {
  TenantName tenant;
  AppName app;
  ModuleName module;
  auto operator<=>(const Spender&) const = default;
};

}  // namespace carrel::tenant
