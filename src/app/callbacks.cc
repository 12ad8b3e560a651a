#include "app/callbacks.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/document_keys.h"

namespace carrel::app {

using namespace std::chrono_literals;

bool is_point_name(std::string_view text) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto inner = [&](char c) { return plain(c) || c == '-' || c == '_' || c == '.'; };
  return !text.empty() && text.size() <= 64 && plain(text.front()) && plain(text.back()) &&
         std::ranges::all_of(text, inner);
}

void check_function_name(TableReader& table, std::string_view key, const std::string& name) {
  if (is_point_name(name)) return;
  table.problem(key, fmt::format("{} is no name of a function; write 1 to 64 of a-z, 0-9, -, _ and "
                                 "., such as \"stock.level\"",
                                 in_quotes(name)));
}

Callback read_callback(const TomlValue& value, const std::filesystem::path& folder,
                       Problems& problems) {
  TableReader table(value, "[[callback]]", problems);
  Callback callback;
  if (auto name = table.required_text("function")) {
    check_function_name(table, "function", *name);
    callback.function = std::move(*name);
  }
  if (auto url = read_private_url(table, "url")) callback.url = std::move(*url);
  callback.secret = read_secret_name(table, "secret");
  callback.input = read_schema(table, "input", folder, callback.files);
  if (const auto deadline = table.duration("deadline", {1ms, 1min})) callback.deadline = *deadline;
  if (const auto rate = table.integer("rate", {1, 1'000'000}))
    callback.rate = static_cast<unsigned>(*rate);
  table.finish();
  return callback;
}

}  // namespace carrel::app
