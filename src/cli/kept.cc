#include "cli/kept.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/percent.h"
#include "cli/command.h"
#include "cli/pipes.h"
#include "cli/terminal.h"
#include "wasi/names.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;
constexpr std::uint64_t kPage = 1000;  // the API's most

std::unexpected<Error> no_list() {
  return fail(Code::unavailable, "the server's answer is not a list",
              "does --server name the /v1 API of Carrel?");
}

// What to ask for after this page; nothing: it is the last. Names only rise, so a list ends.
Result<std::optional<std::string>> next_of(const Json& page, std::string_view after) {
  const auto next = page.find("next");
  if (next == page.end()) return std::nullopt;
  auto name = next->is_string() ? wasi::decode_name(next->get<std::string>()) : std::nullopt;
  if (!name || *name <= after) return no_list();
  return name;
}

}  // namespace

int report_call(const Error& error) {
  const int status = report(error);
  return error.code() == Code::not_found ? kNotFound : status;
}

void add_list_options(CLI::App& app, ListOptions& options) {
  app.add_option("--prefix", options.prefix, "Only names that begin with it")->type_name("TEXT");
  app.add_option("--after", options.after, "Only names after this one, in order of bytes")
      ->type_name("NAME");
  app.add_option("--limit", options.limit, "At most so many names (default: all)")
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""));
}

Result<void> each_listed(NodeClient& node, std::string_view target, std::string_view list,
                         const ListOptions& options,
                         const std::function<Result<void>(const Json& entry)>& show) {
  std::string after = options.after;
  std::uint64_t left = options.limit == 0 ? UINT64_MAX : options.limit;
  while (left > 0) {
    std::string query = fmt::format("{}{}limit={}", target, target.contains('?') ? '&' : '?',
                                    std::min(left, kPage));
    if (!options.prefix.empty()) query += "&prefix=" + percent_encode(options.prefix);
    if (!after.empty()) query += "&after=" + percent_encode(after);
    CARREL_TRY(const NodeAnswer answer, node.call("GET", query));
    const Json page = Json::parse(answer.body, nullptr, false);
    const auto entries = page.is_object() ? page.find(list) : page.end();
    if (entries == page.end() || !entries->is_array() || entries->size() > std::min(left, kPage))
      return no_list();
    for (const Json& entry : *entries) CARREL_TRY_VOID(show(entry));
    left -= entries->size();
    CARREL_TRY(auto next, next_of(page, after));
    if (!next) return {};
    after = std::move(*next);
  }
  return {};
}

Result<void> write_json(const Json& json) {
  return write_output(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

Result<void> write_line(std::string_view text) {
  return write_output(shown_name(Stream::output, text) + "\n");
}

}  // namespace carrel::cli
