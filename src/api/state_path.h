// Which stored thing a request of the API means: "kv/carts/a/b" below a tenant is the value "a/b"
// in its store "carts".
//
// Names are encoded as in a function's file tree, so that the same path means the same name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace carrel::api {

enum class Thing : std::uint8_t { value, values, secret, secrets, counter, blob, blobs };

struct StatePath {
  Thing thing;
  std::string store;  // of values, counters and blobs
  std::string name;   // of one thing
};

// `text`: the path after "kv/", "counters/", "blobs/" or "secrets/". Errors: invalid_argument for
// what is no name.
Result<StatePath> read_state_path(Thing thing, std::string_view text);

struct ListQuery {
  std::string prefix, after;
  std::size_t limit = 100;
  bool watch = false;  // not a list: what changes from now on
};
// Errors: invalid_argument.
Result<ListQuery> read_list_query(std::string_view query);

// "ttl=60": seconds until it expires; nothing: never. Errors: invalid_argument.
Result<std::optional<std::uint64_t>> read_ttl(std::string_view query);

}  // namespace carrel::api
