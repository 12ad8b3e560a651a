// Keys of a manifest whose values are schemas in files, addresses that are told things, or names of
// secrets.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/table_reader.h"
#include "document/schema.h"
#include "net/url.h"

namespace carrel::app {

// Null: there is none, or it is no good, which is said. `files` gets its path, below `folder`.
std::shared_ptr<const document::Schema> read_schema(TableReader& table, std::string_view key,
                                                    const std::filesystem::path& folder,
                                                    std::vector<std::filesystem::path>& files);

// A URL that must be there and keep what it is sent private. Nothing: it is no good, which is said.
std::optional<net::Url> read_private_url(TableReader& table, std::string_view key);

// The name of a secret that must be there; its value is in no manifest. Empty: there is none, which
// is said; so is one that is no good.
std::string read_secret_name(TableReader& table, std::string_view key);

// Whether nobody but the other side hears what it is sent: https, or http to this machine.
bool is_private_way(const net::Url& url);

}  // namespace carrel::app
