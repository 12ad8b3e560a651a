// Which stored thing a request of the API means: "/v1/apps/shop/kv/carts/a/b" is the value "a/b" in
// the store "carts" of the app "shop".
//
// Names are encoded as in a function's file tree, so that the same path means the same name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace carrel::api {

enum class Thing : std::uint8_t { value, values, secret, secrets, counter };

struct StatePath {
  Thing thing;
  std::string app;
  std::string store;  // of values and counters
  std::string name;   // of one thing
};

// Whether a path is below an app, and so for `read_state_path`.
bool is_state_path(std::string_view path);

// Errors: not_found when the API has no such path; invalid_argument for what is no name.
Result<StatePath> read_state_path(std::string_view path);

// "GET, HEAD, PUT, DELETE": what can be done with a thing.
std::string_view methods_of(Thing thing);

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
