#include "app/grants_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/units.h"
#include "net/url.h"

namespace carrel::app {
namespace {

struct Known {
  std::string_view key, needs;
};

constexpr std::array<Known, 9> kKnown{{{"kv", "the key-value store"},
                                       {"counters", "counters"},
                                       {"blobs", "the blob store"},
                                       {"http", "calls to the outside"},
                                       {"secrets", "the secret store"},
                                       {"topics", "topics"},
                                       {"queues", "queues"},
                                       {"outbox", "the outbox"},
                                       {"app", "functions of an embedding application"}}};
constexpr std::array<std::string_view, 4> kLater{"topics", "queues", "outbox", "app"};

constexpr std::size_t kMaxMethod = 32;

// The grants of one kind while they are read.
struct Items {
  TableReader& table;
  std::string_view key;

  std::vector<const TomlValue*> all() const {
    auto items = table.text_values(key);
    if (items.size() > kMostGrants) {
      table.problems().add(items[kMostGrants]->at, fmt::format("`{}` in {} has more than {} texts",
                                                               key, table.where(), kMostGrants));
      items.resize(kMostGrants);
    }
    return items;
  }
  void problem(const TomlValue& item, std::string_view what) const {
    table.problems().add(item.at, fmt::format("{} in `{}` in {} {}", in_quotes(item.text), key,
                                              table.where(), what));
  }
};

std::vector<turn::StoreGrant> read_stores(const Items& items) {
  std::vector<turn::StoreGrant> grants;
  for (const TomlValue* item : items.all()) {
    const std::string_view text = item->text;
    const auto colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    const std::string_view access =
        colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
    if (!is_name(name)) {
      items.problem(*item, fmt::format("names no store; write {}, then \":r\", \":w\" or \":rw\"",
                                       kNameRule));
    } else if (access != "r" && access != "w" && access != "rw") {
      items.problem(*item,
                    fmt::format("must say what is allowed: \"{0}:r\" (read), \"{0}:w\" (write) or "
                                "\"{0}:rw\" (both)",
                                name));
    } else if (std::ranges::find(grants, name, &turn::StoreGrant::store) != grants.end()) {
      items.problem(*item, "is a store that is there twice; remove one");
    } else {
      grants.push_back({.store = std::string(name),
                        .read = access.contains('r'),
                        .write = access.contains('w')});
    }
  }
  return grants;
}

// Methods as upper-case letters: "GET,POST". Or what is wrong with them.
std::optional<std::string> read_methods(std::string_view text, std::vector<std::string>& methods) {
  for (;;) {
    const auto comma = text.find(',');
    const std::string_view method = text.substr(0, comma);
    if (method.empty() || method.size() > kMaxMethod ||
        !std::ranges::all_of(method, [](char c) { return (c >= 'A' && c <= 'Z') || c == '-'; })) {
      return fmt::format("has the method {}; write upper-case methods with commas: \"GET,POST\"",
                         in_quotes(method));
    }
    if (method == "CONNECT" || method == "TRACE") {
      return fmt::format("has the method {}, which is never allowed; remove it", method);
    }
    if (std::ranges::find(methods, method) != methods.end()) {
      return fmt::format("has the method {} twice; remove one", method);
    }
    methods.emplace_back(method);
    if (comma == std::string_view::npos) return {};
    text.remove_prefix(comma + 1);
  }
}

// "https://*.example.com:8443". Or what is wrong with it.
std::optional<std::string> read_origin(std::string_view text, turn::HttpGrant& grant) {
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) {
    return "names no host; write \"https://HOST\", with the methods allowed and a space before it "
           "if not all are";
  }
  std::string_view authority = text.substr(colon + 3);
  if (authority.find_first_of("/?#@\\") != std::string_view::npos) {
    return "must end with the host or its port: a grant is for the whole host, without a path, a "
           "query or a user";
  }
  const bool below = authority.starts_with("*.");
  if (below) authority.remove_prefix(2);
  if (authority.contains('*')) {
    return "may have \"*\" only as its host's whole first label: \"https://*.example.com\"";
  }
  const auto url = net::parse_url(fmt::format("{}://{}", text.substr(0, colon), authority));
  if (!url) return url.error().message();
  const bool address =
      url->host.contains(':') || (url->host.back() >= '0' && url->host.back() <= '9' &&
                                  url->host.find_first_not_of("0123456789.") == std::string::npos);
  if (below && (address || !url->host.contains('.'))) {
    return "allows too much: after \"*.\" there must be a name of at least two labels, as in "
           "\"https://*.example.com\"";
  }
  grant.scheme = url->scheme;
  grant.host = below ? "*." + url->host : url->host;
  grant.port = url->port;
  return {};
}

std::vector<turn::HttpGrant> read_http(const Items& items) {
  std::vector<turn::HttpGrant> grants;
  for (const TomlValue* item : items.all()) {
    turn::HttpGrant grant;
    std::string_view text = item->text;
    std::optional<std::string> wrong;
    if (const auto space = text.find(' '); space != std::string_view::npos) {
      wrong = read_methods(text.substr(0, space), grant.methods);
      text.remove_prefix(space + 1);
    }
    if (!wrong) wrong = read_origin(text, grant);
    const auto same = [&](const turn::HttpGrant& other) {
      return other.scheme == grant.scheme && other.host == grant.host && other.port == grant.port;
    };
    if (!wrong && std::ranges::any_of(grants, same)) {
      wrong = "is a host that is there twice; write one text with all its methods";
    }
    if (wrong) {
      items.problem(*item, *wrong);
    } else {
      grants.push_back(std::move(grant));
    }
  }
  return grants;
}

std::vector<std::string> read_secrets(const Items& items) {
  std::vector<std::string> names;
  for (const TomlValue* item : items.all()) {
    if (!is_variable(item->text)) {
      items.problem(*item, "is no name of a secret; write letters, digits and '_', at most 128");
    } else if (std::ranges::find(names, item->text) != names.end()) {
      items.problem(*item, "is a secret that is there twice; remove one");
    } else {
      names.push_back(item->text);
    }
  }
  return names;
}

}  // namespace

turn::Grants read_grants(TableReader& module) {
  turn::Grants grants;
  const TomlValue* value = module.table("grants");
  if (value == nullptr) return grants;
  TableReader table(*value, "`grants` of " + module.where(), module.problems());
  for (const auto& [key, needs] : kKnown) {
    if (std::ranges::find(kLater, key) != kLater.end()) {
      table.refuse(key, fmt::format("the grant `{}` needs {}, not supported yet by this build; "
                                    "remove it",
                                    key, needs));
      continue;
    }
    const Items items{table, key};
    if (key == "kv") grants.kv = read_stores(items);
    if (key == "counters") grants.counters = read_stores(items);
    if (key == "blobs") grants.blobs = read_stores(items);
    if (key == "http") grants.http = read_http(items);
    if (key == "secrets") grants.secrets = read_secrets(items);
  }
  table.finish();
  return grants;
}

}  // namespace carrel::app
