#include "cli/kept.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/percent.h"
#include "cli/command.h"
#include "cli/pipes.h"
#include "cli/terminal.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;
constexpr std::uint64_t kPage = 1000;  // the API's most

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
  std::string after = percent_encode(options.after);
  std::uint64_t left = options.limit == 0 ? UINT64_MAX : options.limit;
  while (left > 0) {
    std::string query = fmt::format("{}?limit={}", target, std::min(left, kPage));
    if (!options.prefix.empty()) query += "&prefix=" + percent_encode(options.prefix);
    if (!after.empty()) query += "&after=" + after;
    CARREL_TRY(const NodeAnswer answer, node.call("GET", query));
    const Json page = Json::parse(answer.body, nullptr, false);
    if (!page.is_object() || !page.contains(list) || !page[std::string(list)].is_array())
      return fail(Code::unavailable, "the server's answer is not a list",
                  "does --server name the /v1 API of Carrel?");
    for (const Json& entry : page[std::string(list)]) {
      CARREL_TRY_VOID(show(entry));
      --left;
    }
    const auto next = page.find("next");
    if (next == page.end() || !next->is_string()) return {};
    after = next->get<std::string>();
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
