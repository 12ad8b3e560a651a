#include "app/callbacks.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/document_keys.h"
#include "app/units.h"

namespace carrel::app {

using namespace std::chrono_literals;

bool is_point_name(std::string_view text) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto inner = [&](char c) { return plain(c) || c == '-' || c == '_' || c == '.'; };
  return !text.empty() && text.size() <= 64 && plain(text.front()) && plain(text.back()) &&
         std::ranges::all_of(text, inner);
}

Callback read_callback(const TomlValue& value, const std::filesystem::path& folder,
                       Problems& problems) {
  TableReader table(value, "[[callback]]", problems);
  Callback callback;
  if (auto name = table.required_text("function")) {
    if (!is_point_name(*name)) {
      table.problem("function", fmt::format("{} is no name of a function; write 1 to 64 of a-z, "
                                            "0-9, -, _ and ., such as \"stock.level\"",
                                            in_quotes(*name)));
    }
    callback.function = std::move(*name);
  }
  if (auto url = read_private_url(table, "url")) callback.url = std::move(*url);
  if (auto secret = table.required_text("secret")) {
    if (!is_variable(*secret)) {
      table.problem("secret", fmt::format("{} is no name of a secret; its value is set by `carrel "
                                          "secret set`",
                                          in_quotes(*secret)));
    }
    callback.secret = std::move(*secret);
  }
  callback.input = read_schema(table, "input", folder, callback.files);
  if (const auto deadline = table.duration("deadline", {1ms, 1min})) callback.deadline = *deadline;
  if (const auto rate = table.integer("rate", {1, 1'000'000}))
    callback.rate = static_cast<unsigned>(*rate);
  table.finish();
  return callback;
}

}  // namespace carrel::app
