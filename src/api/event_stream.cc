#include "api/event_stream.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/answer.h"
#include "async/first_of.h"

namespace carrel::api {
namespace {

using async::Task;

constexpr std::size_t kPiece = 16 << 10;  // of text, written at once

Task<void> wait_for(EventSource* source) { co_await source->news(); }

Task<Result<void>> write(std::vector<std::string> events, net::ReplySink* reply) {
  std::string text;
  for (const std::string& event : events) {
    text += event;
    if (text.size() < kPiece) continue;
    CARREL_CO_TRY_VOID(co_await reply->write(text));
    text.clear();
  }
  if (!text.empty()) CARREL_CO_TRY_VOID(co_await reply->write(text));
  co_return Result<void>();
}

std::string end_of(const Error& reason) {
  const nlohmann::json json = {{"code", code_name(reason.code())}, {"reason", reason.message()}};
  return fmt::format("event: end\ndata: {}\n\n",
                     json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

Task<void> stream_events(async::Shard* shard, EventSource* source, std::string_view first,
                         net::ReplySink* reply, Nanos look_every) {
  using Time = std::chrono::steady_clock;
  auto going = co_await reply->start(head_of(200, "text/event-stream"), std::nullopt);
  if (going) going = co_await reply->write(fmt::format("event: {}\ndata: {{}}\n\n", first));
  auto look = Time::now() + look_every;
  while (going) {
    const int what = co_await async::first_of(wait_for(source), shard->sleep_until(look));
    if (what == 0) going = co_await write(co_await source->take(), reply);
    if (!going || Time::now() < look) continue;
    if (const auto allowed = co_await source->still_allowed(); !allowed) {
      (void)co_await reply->write(end_of(allowed.error()));
      break;
    }
    look = Time::now() + look_every;
    if (what != 0) going = co_await reply->write(":\n\n");
  }
  reply->abort();
}

}  // namespace carrel::api
