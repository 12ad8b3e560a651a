// carrel usage: what a tenant of a running server has used.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <nlohmann/json.hpp>

#include "base/percent.h"
#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/kept.h"
#include "cli/pipes.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

constexpr auto kTexts = std::to_array<const char*>({"tenant", "app", "module", "from", "to"});
constexpr auto kNumbers =
    std::to_array<const char*>({"turns", "failures", "refused", "cpu_us", "memory_mib_ms",
                                "bytes_in", "bytes_out", "calls", "log_bytes", "damaged"});

struct Options {
  std::string tenant, from, to, by = "hour";
  NodeOptions node;
  bool former = false, json = false, csv = false;
};

std::uint64_t number_in(const Json& row, const char* name) {
  const auto found = row.find(name);
  return found != row.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string csv_head() {
  return fmt::format("{},{}\n", fmt::join(kTexts, ","), fmt::join(kNumbers, ","));
}

// The server's names and times have no comma in them; whatever had one would be no row.
std::string csv_of(const Json& row) {
  std::string line;
  for (const char* name : kTexts) {
    std::string text = text_in(row, name);
    std::erase_if(text, [](char c) { return c == ',' || c == '"' || c < ' '; });
    line += text + ",";
  }
  for (const char* name : kNumbers) line += fmt::format("{},", number_in(row, name));
  line.back() = '\n';
  return line;
}

std::string text_head() {
  return fmt::format("{:20}  {:30}  {:>9} {:>8} {:>8} {:>12} {:>14} {:>12} {:>12}\n", "from",
                     "tenant app module", "turns", "failures", "refused", "cpu us", "MiB ms",
                     "bytes in", "bytes out");
}

Result<void> write_text(const Json& row) {
  const std::uint64_t damaged = number_in(row, "damaged");
  return write_line(fmt::format(
      "{:20}  {:30}  {:>9} {:>8} {:>8} {:>12} {:>14} {:>12} {:>12}{}", text_in(row, "from"),
      fmt::format("{} {} {}", text_in(row, "tenant"), text_in(row, "app"), text_in(row, "module")),
      number_in(row, "turns"), number_in(row, "failures"), number_in(row, "refused"),
      number_in(row, "cpu_us"), number_in(row, "memory_mib_ms"), number_in(row, "bytes_in"),
      number_in(row, "bytes_out"),
      damaged == 0 ? "" : fmt::format("  {} hours are damaged", damaged)));
}

Result<void> act(const Options& options) {
  CARREL_TRY(const auto node, NodeClient::find(options.node, options.tenant));
  std::string target = fmt::format("/v1/tenants/{}/usage?by={}", percent_encode(options.tenant),
                                   percent_encode(options.by));
  if (!options.from.empty()) target += "&from=" + percent_encode(options.from);
  if (!options.to.empty()) target += "&to=" + percent_encode(options.to);
  if (options.former) target += "&former=true";
  bool first = true;
  const auto show = [&](const Json& row) -> Result<void> {
    if (options.json) return write_json(row);
    if (std::exchange(first, false))
      CARREL_TRY_VOID(write_output(options.csv ? csv_head() : text_head()));
    return options.csv ? write_output(csv_of(row)) : write_text(row);
  };
  CARREL_TRY_VOID(each_listed(*node, target, "usage", {}, show));
  if (first && options.csv) return write_output(csv_head());
  return {};
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("TENANT", options->tenant)->required();
  app.add_option("--from", options->from,
                 "From this day or time of UTC on (default: a day before the end)")
      ->type_name("TIME");
  app.add_option("--to", options->to, "To before this day or time (default: now)")
      ->type_name("TIME");
  app.add_option("--by", options->by, "What a line adds up: hour, day or total (default: hour)")
      ->type_name("SPAN")
      ->check(CLI::IsMember({"hour", "day", "total"}).description(""));
  app.add_flag("--former", options->former,
               "What was used by who had the name before, and is erased");
  auto* const csv = app.add_flag("--csv", options->csv, "As CSV");
  app.add_flag("--json", options->json, "As JSON; a line for each row")->excludes(csv);
  add_node_options(app, options->node);
  return [options] {
    const auto done = act(*options);
    return done ? kOk : report_call(done.error());
  };
}

}  // namespace

extern const Command kUsageOf;
const Command kUsageOf{
    .name = "usage",
    .group = Group::serve,
    .summary = "Show what a tenant of a server has used",
    .usage = "TENANT [OPTIONS]",
    .details =
        "A line for each hour, tenant (TENANT and all below it), app and module: turns, those that failed, those\n"
        "refused, CPU time, memory held, bytes of requests and of replies. Times are 2026-01-31 or\n"
        "2026-01-31T10:00:00Z, in whole hours. What was used in the last five seconds may not be in it.\n"
        "Exit status 3: there is no such tenant.",
    .examples =
        "carrel usage acme --from 2026-01-01 --to 2026-02-01 --by total --csv\n"
        "carrel usage acme/merchant-17\n",
    .add = add,
};

}  // namespace carrel::cli
