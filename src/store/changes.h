// What a finished turn asks the committer for: its effects, and what they depend on. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "store/key.h"
#include "store/slots.h"
#include "store/tickets.h"
#include "store/version.h"

namespace carrel::store {

// What the turn's snapshot held under a name. Good for as long as the name's slot has not moved;
// then the committer looks for itself.
struct Before {
  bool known = false;  // else the committer looks in any case
  bool existed = false;
  std::uint64_t charge = 0;   // bytes, as counted in the quota
  std::uint64_t expires = 0;  // as in Record
};

// A name gets a new record, or loses the one it has.
struct Change {
  std::string key;  // encoded
  Kind kind = Kind::value;
  std::uint64_t hash = 0;
  std::vector<std::uint64_t> folders;  // hashes; nearest last
  std::uint64_t store = 0;             // hash of it
  std::optional<std::string> record;   // encoded; nothing: erased
  std::uint64_t charge = 0;            // of the new record, with its name
  std::uint64_t expires = 0;
  Before before;
};

// Adds to a counter, whatever it holds by then.
struct Addition {
  std::string key;
  std::uint64_t hash = 0;
  std::vector<std::uint64_t> folders;  // hashes; nearest last
  std::uint64_t store = 0;             // hash of it
  std::uint64_t name_bytes = 0;
  std::int64_t delta = 0;
  std::optional<std::int64_t> floor;  // the turn fails rather than leave less than this
};

enum class Sync : std::uint8_t {
  always,   // released when it is on the disk
  interval  // released at once; a crash may lose the last second
};

struct Changes {
  TenantName tenant;
  std::uint64_t quota = UINT64_MAX;  // bytes the tenant may store
  Sync sync = Sync::always;
  Version snapshot{};                // what was read; conflicts are writes after it
  std::vector<std::uint64_t> reads;  // hashes; may name one twice
  std::vector<Change> changes;       // in order of keys
  std::vector<Addition> additions;
  // The sweeper's: encoded garbage keys. Each goes, and its part's entry with it if that is still
  // the one of this key.
  std::vector<std::string> garbage;
  TicketHolder holder{};  // whose tickets the commit may use, and gives back
  std::size_t bytes = 0;  // of all of it, about

  bool empty() const { return changes.empty() && additions.empty(); }
};

}  // namespace carrel::store
