// Keys: how names become bytes in the store. docs/reference/storage.md has the layout.
//
//   format (1 byte) | size of tenant (1) | tenant | kind (1) | size of store (1) | store | name
//
// Sizes before texts make the layout prefix-free: no choice of names makes one tenant's, kind's or
// store's keys another's. Names sort by their bytes within a store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/id.h"
#include "base/result.h"

namespace carrel::store {

inline constexpr std::uint8_t kKeyFormat = 1;
inline constexpr std::size_t kMaxName = 1024;     // bytes of a name
inline constexpr std::size_t kMaxStoreName = 64;  // bytes of a store's name
inline constexpr std::size_t kMaxTenant = 255;    // bytes of a tenant's name

enum class Kind : std::uint8_t {
  value = 'v',    // /kv
  counter = 'c',  // /counters
  blob = 'b',     // /blobs: a manifest of parts
  secret = 's',   // sealed
  reply = 'r',    // to a request with an Idempotency-Key
  app = 'n',      // a deployed app: which of its versions are served
  version = 'd',  // one of its versions: what it is made of
  event = 'e',    // what was emitted and is not delivered to everybody yet
  binding = 'h',  // of a tenant's module to a hook point of a tenant above it
  // The node's own, whichever tenant's transaction writes them (`is_of_the_node`):
  tenant = 't',
  token = 'k',
  audit = 'a',
  delivery = 'q',  // a message on its way to one receiver (delivery/item.h)
  // The store's own, for the committer and the sweeper only:
  usage = 'u',    // one a tenant: what it has stored
  expiry = 'x',   // when names expire, by time
  part = 'p',     // uses of a blob's part, by hash
  garbage = 'g',  // parts that nothing uses, by time
};

// What the platform keeps to know its tenants by. Such records lie under the tenant "" and are
// charged to nobody, so that one commit can change a tenant's data and say who did it.
constexpr bool is_of_the_node(Kind kind) {
  return kind == Kind::tenant || kind == Kind::token || kind == Kind::audit ||
         kind == Kind::delivery;
}

// Whether it counts towards what its tenant may store. Versions of apps and bindings have bounds of
// their own.
constexpr bool is_charged(Kind kind) {
  return !is_of_the_node(kind) && kind != Kind::app && kind != Kind::version &&
         kind != Kind::binding;
}

// Views; the tenant's name, the store's and the key's are bounded as above and not checked again.
struct Key {
  std::string_view tenant;
  Kind kind;
  std::string_view store;
  std::string_view name;
};

std::string encode(const Key& key);
// Views into `bytes`. Nothing: no key of this format.
std::optional<Key> decode(std::string_view bytes);

// What every key of a tenant, of one of its kinds, or of one of its stores begins with.
std::string prefix_of(std::string_view tenant);
std::string prefix_of(std::string_view tenant, Kind kind);
std::string prefix_of(std::string_view tenant, Kind kind, std::string_view store);

// The first key after all that begin with `prefix`; empty: there is none.
std::string end_of(std::string prefix);

// Errors: invalid_argument that says what is wrong: empty or too long.
Result<void> check_name(std::string_view name);

}  // namespace carrel::store
