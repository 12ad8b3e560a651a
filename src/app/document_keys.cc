#include "app/document_keys.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "app/manifest.h"
#include "app/toml.h"
#include "app/units.h"
#include "net/egress_policy.h"

namespace carrel::app {

std::shared_ptr<const document::Schema> read_schema(TableReader& table, std::string_view key,
                                                    const std::filesystem::path& folder,
                                                    std::vector<std::filesystem::path>& files) {
  if (!table.has(key)) return nullptr;
  const auto path = inner_path(table, key, folder);
  if (!path) return nullptr;
  files.push_back(*path);
  const auto text = read_small_file(*path);
  if (!text) {
    table.problem(key, text.error().message());
    return nullptr;
  }
  auto schema = document::Schema::compile(*text);
  if (schema) return *schema;
  table.problem(key, fmt::format("{} is no JSON Schema (2020-12): {}", in_quotes(path->native()),
                                 schema.error().message()));
  return nullptr;
}

std::optional<net::Url> read_private_url(TableReader& table, std::string_view key) {
  const auto text = table.required_text(key);
  if (!text) return {};
  auto url = net::parse_url(*text);
  if (!url) {
    table.problem(key, fmt::format("`{}`: {}", key, url.error().message()));
  } else if (!is_private_way(*url)) {
    table.problem(key, fmt::format("`{}` begins with https://; http:// is for this machine", key));
  } else {
    return std::move(*url);
  }
  return {};
}

std::string read_secret_name(TableReader& table, std::string_view key) {
  std::string name = table.required_text(key).value_or("");
  if (!name.empty() && !is_variable(name)) {
    table.problem(key, fmt::format("{} is no name of a secret; its value is set by `carrel secret "
                                   "set`",
                                   in_quotes(name)));
  }
  return name;
}

bool is_private_way(const net::Url& url) {
  if (url.scheme == "https" || url.host == "localhost" || url.host == "::1") return true;
  const auto address = net::parse_ip(url.host);
  return address && !address->v6 && address->bytes[0] == 127;
}

}  // namespace carrel::app
