#include "api/state_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "app/units.h"
#include "capability/state/names.h"
#include "store/key.h"
#include "wasi/names.h"

namespace carrel::api {
namespace {

constexpr std::string_view kApps = "/v1/apps/";
constexpr std::size_t kMostListed = 1000;
constexpr std::uint64_t kLongestTtl = 100ULL * 366 * 24 * 3600;  // seconds

std::unexpected<Error> no_path() { return fail(Code::not_found, "the API has no such path"); }

std::string_view take(std::string_view& text, char until) {
  const auto end = text.find(until);
  const auto part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

Result<void> check_store(std::string_view store) {
  if (app::is_name(store) && store.size() <= store::kMaxStoreName) return {};
  return fail(Code::invalid_argument, fmt::format("a store's name is {}", app::kNameRule));
}

Result<void> check_secret(std::string_view name) {
  if (app::is_variable(name)) return {};
  return fail(Code::invalid_argument,
              "a secret's name is letters, digits and '_', at most 128, no digit first");
}

// "carts/a/b", the part of a path after "kv/" or "counters/".
Result<void> read_name(std::string_view text, StatePath& path) {
  const auto slash = text.find('/');
  CARREL_TRY_VOID(check_store(text.substr(0, slash)));
  for (std::string_view left = text; !left.empty();) {
    const auto segment = take(left, '/');
    if (segment == "." || segment == "..")
      return fail(Code::invalid_argument,
                  R"(a part of a name that is "." is written "%2E", one that is ".." "%2E.")");
  }
  auto location = capability::state::locate(text);
  if (!location && location.error() == wasi::Errno::nametoolong) {
    return fail(Code::invalid_argument,
                fmt::format("a name is at most {} bytes long", store::kMaxName));
  }
  if (!location) {
    return fail(Code::invalid_argument,
                R"(a name's parts are percent-encoded, without %2F; an empty part is written "%")");
  }
  path.store = std::move(location->store);
  path.name = std::move(location->name);
  return {};
}

Result<std::string> decode(std::string_view text) {
  std::string plain(text);
  std::ranges::replace(plain, '+', ' ');
  auto decoded = wasi::decode_name(plain);
  if (!decoded) return fail(Code::invalid_argument, "the query is not percent-encoded");
  return std::move(*decoded);
}

Result<std::uint64_t> number(std::string_view key, std::string_view text, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0 || value > most) {
    return fail(Code::invalid_argument, fmt::format("{} is a number from 1 to {}", key, most));
  }
  return value;
}

}  // namespace

bool is_state_path(std::string_view path) { return path.starts_with(kApps); }

Result<StatePath> read_state_path(std::string_view path) {
  if (!is_state_path(path)) return no_path();
  path.remove_prefix(kApps.size());
  StatePath read{};
  read.app = take(path, '/');
  const auto kind = take(path, '/');
  if (kind == "secrets") {
    read.thing = path.empty() ? Thing::secrets : Thing::secret;
    if (path.empty()) return read;
    CARREL_TRY_VOID(check_secret(path));
    read.name = path;
    return read;
  }
  if ((kind != "kv" && kind != "counters") || path.empty()) return no_path();
  CARREL_TRY_VOID(read_name(path, read));
  if (kind == "counters" && read.name.empty()) return no_path();
  read.thing = kind == "counters"  ? Thing::counter
               : read.name.empty() ? Thing::values
                                   : Thing::value;
  return read;
}

std::string_view methods_of(Thing thing) {
  switch (thing) {
    case Thing::value:
      return "GET, HEAD, PUT, DELETE";
    case Thing::secret:
      return "PUT, DELETE";
    default:
      return "GET, HEAD";
  }
}

Result<ListQuery> read_list_query(std::string_view query) {
  ListQuery read;
  while (!query.empty()) {
    std::string_view text = take(query, '&');
    const auto key = take(text, '=');
    if (key == "prefix") {
      CARREL_TRY(read.prefix, decode(text));
    } else if (key == "after") {
      CARREL_TRY(read.after, decode(text));
    } else if (key == "limit") {
      CARREL_TRY(read.limit, number(key, text, kMostListed));
    } else if (key == "watch" && text.empty()) {
      read.watch = true;
    } else {
      return fail(
          Code::invalid_argument,
          "a list is asked for with prefix, after and limit, a watch with watch and prefix");
    }
  }
  if (read.prefix.size() > store::kMaxName || read.after.size() > store::kMaxName) {
    return fail(Code::invalid_argument,
                fmt::format("a name is at most {} bytes long", store::kMaxName));
  }
  return read;
}

Result<std::optional<std::uint64_t>> read_ttl(std::string_view query) {
  std::optional<std::uint64_t> ttl;
  while (!query.empty()) {
    std::string_view text = take(query, '&');
    const auto key = take(text, '=');
    if (key != "ttl" || ttl) return fail(Code::invalid_argument, "a value is put with ttl, once");
    CARREL_TRY(ttl, number(key, text, kLongestTtl));
  }
  return ttl;
}

}  // namespace carrel::api
