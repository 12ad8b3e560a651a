// An item: one message on its way to one receiver, and what has come of it so far.
//
//   Kind::delivery, store "open" or "dead", name: LANE, a zero byte, ID -> MessagePack
//
// Such records are the node's, so that the commit of a turn in any tenant can take one away. They
// hold what it takes to deliver and to explain; what is large is kept by the pattern, in a tenant
// that is charged for it.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/transaction.h"

namespace carrel::delivery {

inline constexpr std::size_t kMostCause = 1024;     // bytes; the rest is cut off
inline constexpr std::size_t kMostBody = 64 << 10;  // bytes

// A lane is the queue of one receiver: "hook:shop:shop:order.created:crm". Neither lane nor id has
// a zero byte.
struct Name {
  std::string lane;
  std::string id;  // unique in its lane; says which shard sees to it
  auto operator<=>(const Name&) const = default;
};

// Whose a lane is, which begins with the pattern and the tenant: "hook:shop".
std::string_view owner_in(std::string_view lane);

struct Item {
  Name name;
  std::string body;          // the pattern's own
  std::uint64_t made = 0;    // milliseconds since 1970, as all times here
  std::uint64_t due = 0;     // not before
  std::uint64_t marked = 0;  // when the attempt began that is under way; 0: none is
  unsigned attempts = 0;     // that have begun
  std::string cause;         // why the last one failed; empty: none has
};

inline const store::Place kOpen{.kind = store::Kind::delivery, .store = "open"};
inline const store::Place kDead{.kind = store::Kind::delivery, .store = "dead"};

std::string record_name(const Name& name);
std::optional<Name> parse_record_name(std::string_view text);  // nothing: damaged

std::string encode(const Item& item);
Result<Item> decode(Name name, std::string_view record);  // Errors: data_corrupt

// Makes one, due at once. Errors: those of Transaction::put.
Result<void> put_new(store::Transaction& transaction, const Name& name, std::string body,
                     std::uint64_t now);

}  // namespace carrel::delivery
