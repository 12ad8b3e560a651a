// What the apps of a tenant say: the newest lines, or all from now on as server-sent events.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "api/call.h"
#include "api/log_tail.h"
#include "api/query.h"
#include "app/units.h"
#include "async/first_of.h"

namespace carrel::api {
namespace {

using async::Task;
using Json = nlohmann::json;

constexpr std::chrono::seconds kSilence{15};  // longest; then a comment shows who has gone
constexpr std::size_t kPiece = 16 << 10;      // of text, written at once

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

Task<void> wait_for(LogTail::Follower* follower) { co_await follower->news(); }

Task<Result<void>> write_news(LogNews news, net::ReplySink* reply) {
  std::string text(news.gap ? "event: gap\ndata: {}\n\n" : "");
  for (const LogLineRef& line : news.lines) {
    text += fmt::format("event: line\ndata: {}\n\n", text_of(describe(*line)));
    if (text.size() < kPiece) continue;
    CARREL_CO_TRY_VOID(co_await reply->write(text));
    text.clear();
  }
  if (!text.empty()) CARREL_CO_TRY_VOID(co_await reply->write(text));
  co_return Result<void>();
}

Task<Result<void>> stream(Call* call, LogTail::Follower follower) {
  async::Shard& shard = call->services.store->shard();
  net::ReplySink& reply = call->exchange.reply;
  auto going = co_await reply.start(head_of(200, "text/event-stream"), std::nullopt);
  if (going) going = co_await reply.write("event: following\ndata: {}\n\n");
  while (going) {
    const int what = co_await async::first_of(wait_for(&follower), shard.sleep_for(kSilence));
    going =
        what == 0 ? co_await write_news(follower.take(), &reply) : co_await reply.write(":\n\n");
  }
  reply.abort();
  co_return Result<void>();
}

Task<Result<Answer>> logs(Call* call) {
  CARREL_CO_TRY(const LogsQuery query, read_logs_query(call->request().query));
  LogTail* tail = call->node.log_tail();
  if (tail == nullptr) co_return fail(Code::unavailable, "this node keeps no lines");
  if (query.follow && call->request().method == "GET") {
    CARREL_CO_TRY(LogTail::Follower follower, tail->follow(call->services.store->shard(),
                                                           call->tenant, query.app, query.limit));
    CARREL_CO_TRY_VOID(co_await stream(call, std::move(follower)));
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
