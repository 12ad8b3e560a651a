// What a request's query asks for: pages of lists, and single values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace carrel::api {

inline constexpr std::size_t kMostListed = 1000;

// Pairs in their order, decoded. Errors: invalid_argument for what is not percent-encoded, and for
// a key that is there twice.
Result<std::vector<std::pair<std::string, std::string>>> read_query(std::string_view query);

struct PageQuery {
  std::string prefix, after;
  std::size_t limit = 100;
};
// "prefix=a&after=b&limit=10". Errors: invalid_argument.
Result<PageQuery> read_page_query(std::string_view query);

// A whole number from 1 to `most`. Errors: invalid_argument, naming the key.
Result<std::uint64_t> read_number(std::string_view key, std::string_view text, std::uint64_t most);

}  // namespace carrel::api
