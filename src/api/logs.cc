// What the apps of a tenant say: the newest lines, or all from now on as server-sent events.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "api/call.h"
#include "api/event_stream.h"
#include "api/log_tail.h"
#include "api/query.h"
#include "app/units.h"

namespace carrel::api {
namespace {

using async::Task;
using Json = nlohmann::json;

struct LogsQuery {
  std::string app;
  std::size_t limit = 100;
  bool follow = false;
};

Result<LogsQuery> read_logs_query(std::string_view text) {
  CARREL_TRY(const auto pairs, read_query(text));
  LogsQuery query;
  for (const auto& [key, value] : pairs) {
    if (key == "app" && app::is_name(value)) {
      query.app = value;
    } else if (key == "limit") {
      CARREL_TRY(query.limit, read_number(key, value, kMostListed));
    } else if (key == "follow" && value.empty()) {
      query.follow = true;
    } else {
      return fail(Code::invalid_argument,
                  "the query may have app=NAME, limit=NUMBER and follow, each once");
    }
  }
  return query;
}

std::string time_text(WallTime time) {
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(
      time.time_since_epoch() % std::chrono::seconds(1));
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)), millis.count());
}

Json describe(const LogLine& line) {
  Json json = {{"time", time_text(line.time)},
               {"app", line.app.str()},
               {"module", line.module.str()},
               {"id", fmt::format("{:016x}", line.turn)},
               {"kind", line.kind == LogLine::Kind::said ? "said" : "failed"},
               {"text", line.text}};
  if (!line.code.empty()) json["code"] = line.code;
  return json;
}

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

class Lines final : public EventSource {
 public:
  Lines(Call& call, LogTail::Follower follower) : call_(call), follower_(std::move(follower)) {}
  async::Event& news() override { return follower_.news(); }
  Task<std::vector<std::string>> take() override {
    const LogNews news = follower_.take();
    std::vector<std::string> events;
    if (news.gap) events.emplace_back(kGapEvent);
    for (const LogLineRef& line : news.lines)
      events.push_back(fmt::format("event: line\ndata: {}\n\n", text_of(describe(*line))));
    co_return events;
  }
  Task<Result<void>> still_allowed() override { return call_.still_allowed(); }

 private:
  Call& call_;
  LogTail::Follower follower_;
};

Task<Result<Answer>> logs(Call* call) {
  CARREL_CO_TRY(const LogsQuery query, read_logs_query(call->request().query));
  LogTail* tail = call->node.log_tail();
  if (tail == nullptr) co_return fail(Code::unavailable, "this node keeps no lines");
  if (query.follow && call->request().method == "GET") {
    CARREL_CO_TRY(LogTail::Follower follower, tail->follow(call->services.store->shard(),
                                                           call->tenant, query.app, query.limit));
    Lines lines(*call, std::move(follower));
    co_await stream_events(&call->services.store->shard(), &lines, "following",
                           &call->exchange.reply);
    co_return Answer();
  }
  Json lines = Json::array();
  for (const LogLineRef& line : tail->last(call->tenant, query.app, query.limit)) {
    lines.push_back(describe(*line));
  }
  co_return json_answer({{"lines", std::move(lines)}});
}

}  // namespace

std::span<const Operation> log_operations() {
  static constexpr auto kOperations =
      std::to_array<Operation>({{"logs", "GET", "/v1/tenants/{tenant}/logs", logs}});
  return kOperations;
}

}  // namespace carrel::api
