#include "api/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "store/key.h"
#include "wasi/names.h"

namespace carrel::api {
namespace {

std::string_view take(std::string_view& text, char until) {
  const auto end = text.find(until);
  const auto part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

Result<std::string> decode(std::string_view text) {
  std::string plain(text);
  std::ranges::replace(plain, '+', ' ');
  auto decoded = wasi::decode_name(plain);
  if (!decoded) return fail(Code::invalid_argument, "the query is not percent-encoded");
  return std::move(*decoded);
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> read_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    std::string_view text = take(query, '&');
    CARREL_TRY(std::string key, decode(take(text, '=')));
    CARREL_TRY(std::string value, decode(text));
    const auto same = [&](const auto& pair) { return pair.first == key; };
    if (std::ranges::any_of(pairs, same))
      return fail(Code::invalid_argument, fmt::format("{} is in the query twice", key));
    pairs.emplace_back(std::move(key), std::move(value));
  }
  return pairs;
}

Result<PageQuery> read_page_query(std::string_view query) {
  CARREL_TRY(auto pairs, read_query(query));
  PageQuery read;
  for (auto& [key, value] : pairs) {
    if (key == "prefix") {
      read.prefix = std::move(value);
    } else if (key == "after") {
      read.after = std::move(value);
    } else if (key == "limit") {
      CARREL_TRY(read.limit, read_number(key, value, kMostListed));
    } else {
      return fail(Code::invalid_argument, "a list is asked for with prefix, after and limit");
    }
  }
  if (read.prefix.size() > store::kMaxName || read.after.size() > store::kMaxName) {
    return fail(Code::invalid_argument,
                fmt::format("a name is at most {} bytes long", store::kMaxName));
  }
  return read;
}

Result<std::uint64_t> read_number(std::string_view key, std::string_view text, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0 || value > most) {
    return fail(Code::invalid_argument, fmt::format("{} is a number from 1 to {}", key, most));
  }
  return value;
}

}  // namespace carrel::api
