// What the commands `kv`, `counter` and `secret` share: their arguments, and how they end.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "cli/node_client.h"

namespace carrel::cli {

// The exit status of what could not be done; kNotFound when there is none of that name.
int report_call(const Error& error);

struct ListOptions {
  std::string prefix, after;
  std::uint64_t limit = 0;  // 0: all
};
void add_list_options(CLI::App& app, ListOptions& options);

// Page after page, the entries of the answer's list called `list`. Ends when `show` fails, and with
// an answer that no list has: more than was asked for, or no step towards the end.
// Errors: those of NodeClient::call and of `show`; unavailable.
Result<void> each_listed(NodeClient& node, std::string_view target, std::string_view list,
                         const ListOptions& options,
                         const std::function<Result<void>(const nlohmann::json& entry)>& show);

// One JSON text a line; bytes that are not UTF-8 are replaced.
Result<void> write_json(const nlohmann::json& json);

// One name or event a line, as terminal.h shows names.
Result<void> write_line(std::string_view text);

}  // namespace carrel::cli
