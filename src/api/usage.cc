// What a tenant and all below it have used: as JSON, and as CSV for those who write invoices.
#include "tenant/usage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/access.h"
#include "api/call.h"
#include "api/query.h"
#include "api/step.h"
#include "app/case.h"
#include "base/percent.h"
#include "tenant/tenant.h"

namespace carrel::api {
namespace {

using async::Task;
using tenant::Every;
using tenant::HourlySpent;
using tenant::Spent;
using Json = nlohmann::json;

constexpr tenant::Hour kMostHours = tenant::Hour{24} * 401;  // asked for at once
constexpr tenant::Hour kDay = 24;

struct Column {
  const char* name;
  std::uint64_t (*value)(const Spent&);
};
constexpr auto kColumns = std::to_array<Column>({
    {"turns", [](const Spent& s) { return s.turns; }},
    {"failures", [](const Spent& s) { return s.failures; }},
    {"refused", [](const Spent& s) { return s.refused; }},
    {"cpu_us", [](const Spent& s) { return s.cpu / 1000; }},
    {"memory_mib_ms", [](const Spent& s) { return s.memory / 1024; }},
    {"bytes_in", [](const Spent& s) { return s.bytes_in; }},
    {"bytes_out", [](const Spent& s) { return s.bytes_out; }},
    {"calls", [](const Spent& s) { return s.calls; }},
    {"log_bytes", [](const Spent& s) { return s.log_bytes; }},
});

enum class Form : std::uint8_t { json, csv };

struct Question {
  tenant::UsageQuery query;
  Form form = Form::json;
  bool former = false;  // of who had the name before
};

tenant::Hour end_of(const HourlySpent& row, const tenant::UsageQuery& query) {
  switch (query.every) {
    case Every::hour:
      return row.hour + 1;
    case Every::day:
      return std::min(row.hour - row.hour % kDay + kDay, query.to);
    case Every::total:
      return query.to;
  }
  return query.to;
}

Json json_of(const HourlySpent& row, const tenant::UsageQuery& query) {
  Json json = {{"tenant", row.who.tenant.str()},
               {"app", row.who.app.str()},
               {"module", row.who.module.str()},
               {"from", time_text(tenant::begin_of(row.hour))},
               {"to", time_text(tenant::begin_of(end_of(row, query)))}};
  for (const Column& column : kColumns) json[column.name] = column.value(row.spent);
  json["damaged"] = row.damaged;
  return json;
}

// Names of tenants, apps and modules have neither commas nor quotes; one that had would be quoted.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_of(const tenant::UsagePage& page, const tenant::UsageQuery& query) {
  std::string text = "tenant,app,module,from,to";
  for (const Column& column : kColumns) text += fmt::format(",{}", column.name);
  text += ",damaged\r\n";
  for (const HourlySpent& row : page.rows) {
    text +=
        fmt::format("{},{},{},{},{}", csv_field(row.who.tenant.str()), csv_field(row.who.app.str()),
                    csv_field(row.who.module.str()), time_text(tenant::begin_of(row.hour)),
                    time_text(tenant::begin_of(end_of(row, query))));
    for (const Column& column : kColumns) text += fmt::format(",{}", column.value(row.spent));
    text += fmt::format(",{}\r\n", row.damaged);
  }
  return text;
}

Result<Every> read_every(std::string_view text) {
  if (text == "hour") return Every::hour;
  if (text == "day") return Every::day;
  if (text == "total") return Every::total;
  return fail(Code::invalid_argument, "by is hour, day or total");
}

Result<tenant::Hour> read_hour(std::string_view key, std::string_view text) {
  constexpr std::size_t kDayText = 10;  // "2026-01-31"
  std::string whole(text);
  if (whole.size() == kDayText) whole += "T00:00:00Z";
  const auto time = app::parse_time(whole);
  if (time && *time >= WallTime()) return tenant::hour_of(*time);
  return fail(Code::invalid_argument,
              fmt::format("{} is a day (2026-01-31) or a time of UTC (2026-01-31T10:00:00Z)", key));
}

// The last day, unless it says otherwise.
Result<Question> read_question(Call* call) {
  Question asked;
  asked.query.tenant = call->tenant;
  if (call->request().header("accept").contains("text/csv")) asked.form = Form::csv;
  const tenant::Hour now = tenant::hour_of(call->clock.wall());
  std::optional<tenant::Hour> from, to;
  CARREL_TRY(auto pairs, read_query(call->request().query));
  for (auto& [key, value] : pairs) {
    if (key == "from") {
      CARREL_TRY(from, read_hour(key, value));
    } else if (key == "to") {
      CARREL_TRY(to, read_hour(key, value));
    } else if (key == "by") {
      CARREL_TRY(asked.query.every, read_every(value));
    } else if (key == "after") {
      asked.query.after = std::move(value);
    } else if (key == "limit") {
      CARREL_TRY(asked.query.max, read_number(key, value, kMostListed));
    } else if (key == "format" && (value == "csv" || value == "json")) {
      asked.form = value == "csv" ? Form::csv : Form::json;
    } else if (key == "former" && (value == "true" || value == "false")) {
      asked.former = value == "true";
    } else {
      return fail(Code::invalid_argument,
                  "usage is asked for with from, to, by, format (csv or json), former (true or "
                  "false), after and limit");
    }
  }
  asked.query.to = to.value_or(now + 1);
  asked.query.from = from.value_or(asked.query.to - std::min(asked.query.to, kDay));
  if (asked.query.from >= asked.query.to) return fail(Code::invalid_argument, "from is before to");
  if (asked.query.to - asked.query.from > kMostHours)
    return fail(Code::invalid_argument, "from and to are at most 401 days apart");
  if (asked.query.after.size() > store::kMaxName)
    return fail(Code::invalid_argument, "after is the `next` of a page of the same tenant");
  return asked;
}

std::string next_page(const Call& call, const std::string& after) {
  std::string target(call.request().path);
  std::string_view rest = call.request().query;
  char before = '?';
  while (!rest.empty()) {
    const auto part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    if (part.starts_with("after=") || part.empty()) continue;
    target += before;
    target += part;
    before = '&';
  }
  return fmt::format("<{}{}after={}>; rel=\"next\"", target, before, percent_encode(after));
}

struct Reading final : AnsweringStep {
  using AnsweringStep::AnsweringStep;
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY(const auto found, co_await tenant::find(&transaction, call->tenant));
    if (!found && !asked.former) co_return fail(Code::not_found, "there is no tenant of that name");
    // What was used before is another's, who had the name and was erased days before.
    if (found) {
      const tenant::Hour created = tenant::hour_of(found->created);
      tenant::Hour& bound = asked.former ? asked.query.to : asked.query.from;
      bound = asked.former ? std::min(bound, created) : std::max(bound, created);
    }
    CARREL_CO_TRY(const auto page, co_await tenant::read_usage(
                                       &transaction, &call->services.store->shard(), asked.query));
    if (asked.form == Form::csv) {
      answer = {head_of(200, "text/csv; charset=utf-8; header=present"), csv_of(page, asked.query)};
      if (!page.next.empty()) answer.head.headers.emplace_back("link", next_page(*call, page.next));
      co_return Result<void>();
    }
    Json json = {{"usage", Json::array()}};
    for (const HourlySpent& row : page.rows) json["usage"].push_back(json_of(row, asked.query));
    if (!page.next.empty()) json["next"] = percent_encode(page.next);
    answer = json_answer(json);
    co_return Result<void>();
  }
  Question asked;
};

Task<Result<Answer>> usage(Call* call) {
  Reading step(call);
  CARREL_CO_TRY(step.asked, read_question(call));
  // Who has the name now has nothing to do with who had it; those above have to bill both.
  if (step.asked.former)
    CARREL_CO_TRY_VOID(authorise(
        {.operation = call->operation.id, .where = Where::parent, .verb = tenant::Verb::read},
        call->principal, call->tenant));
  co_return co_await commit_answering(call, tenant::kNode, {}, &step);
}

}  // namespace

std::span<const Operation> usage_operations() {
  static constexpr auto kOperations =
      std::to_array<Operation>({{"usage", "GET", "/v1/tenants/{tenant}/usage", usage}});
  return kOperations;
}

}  // namespace carrel::api
