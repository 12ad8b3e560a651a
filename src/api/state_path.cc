#include "api/state_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/query.h"
#include "app/module_source.h"
#include "app/units.h"
#include "capability/state/names.h"
#include "store/key.h"

namespace carrel::api {
namespace {

constexpr std::uint64_t kLongestTtl = 100ULL * 366 * 24 * 3600;  // seconds

Result<void> check_store(std::string_view store) {
  if (app::is_name(store) && store.size() <= store::kMaxStoreName) return {};
  return fail(Code::invalid_argument, fmt::format("a store's name is {}", app::kNameRule));
}

Result<void> check_secret(std::string_view name) {
  if (app::is_variable(name) || name == app::kRegistrySecret || name == app::kSignersSecret)
    return {};
  return fail(Code::invalid_argument,
              fmt::format("a secret's name is letters, digits and '_', at most 128, no digit "
                          "first; or it is {} or {}",
                          app::kRegistrySecret, app::kSignersSecret));
}

// "carts/a/b".
Result<void> read_name(std::string_view text, StatePath& path) {
  const auto slash = text.find('/');
  CARREL_TRY_VOID(check_store(text.substr(0, slash)));
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find('/', at), text.size());
    const auto segment = text.substr(at, end - at);
    at = end + 1;
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

}  // namespace

Result<StatePath> read_state_path(Thing thing, std::string_view text) {
  StatePath read{.thing = thing, .store = {}, .name = {}};
  if (thing == Thing::secrets) return read;
  if (thing == Thing::secret) {
    CARREL_TRY_VOID(check_secret(text));
    read.name = text;
    return read;
  }
  CARREL_TRY_VOID(read_name(text, read));
  if (thing != Thing::values && thing != Thing::blobs && read.name.empty())
    return fail(Code::invalid_argument, "the path names nothing in the store");
  return read;
}

Result<ListQuery> read_list_query(std::string_view query) {
  ListQuery read;
  std::string page;  // without what a page does not know
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (part == "watch" || part == "watch=") {
      read.watch = true;
    } else {
      page += page.empty() ? part : fmt::format("&{}", part);
    }
  }
  auto found = read_page_query(page);
  if (!found) {
    return fail(Code::invalid_argument,
                found.error().message() + "; a watch, with watch and prefix");
  }
  read.prefix = std::move(found->prefix);
  read.after = std::move(found->after);
  read.limit = found->limit;
  return read;
}

Result<std::optional<std::uint64_t>> read_ttl(std::string_view query) {
  CARREL_TRY(const auto pairs, read_query(query));
  std::optional<std::uint64_t> ttl;
  for (const auto& [key, value] : pairs) {
    if (key != "ttl") return fail(Code::invalid_argument, "a value is put with ttl, once");
    CARREL_TRY(ttl, read_number(key, value, kLongestTtl));
  }
  return ttl;
}

}  // namespace carrel::api
