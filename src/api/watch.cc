#include "api/watch.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/answer.h"
#include "async/first_of.h"

namespace carrel::api {
namespace {

using async::Task;
using Json = nlohmann::json;

constexpr std::chrono::seconds kSilence{15};  // longest; then a comment shows who has gone
constexpr std::size_t kPiece = 16 << 10;      // of text, written at once
constexpr std::string_view kGap = "event: gap\ndata: {}\n\n";

std::string text_of(const store::Told& told) {
  Json json = {{"version", static_cast<std::uint64_t>(told.version)}};
  add_name(json, told.name);
  return fmt::format("event: {}\ndata: {}\n\n", told.erased ? "delete" : "put",
                     json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Task<void> wait_for(store::Watch* watch) { co_await watch->news(); }

// Nothing is told before it is durable. What may never be so is a gap, and all that comes with it.
Task<Result<void>> write_news(turn::OutputGate* gate, store::News news, net::ReplySink* reply) {
  if (!news.told.empty() && !co_await gate->wait(news.told.back().version)) news = {.gap = true};
  std::string text(news.gap ? kGap : "");
  for (const store::Told& told : news.told) {
    text += text_of(told);
    if (text.size() < kPiece) continue;
    CARREL_CO_TRY_VOID(co_await reply->write(text));
    text.clear();
  }
  if (!text.empty()) CARREL_CO_TRY_VOID(co_await reply->write(text));
  co_return Result<void>();
}

}  // namespace

Task<Result<void>> stream_changes(turn::Services services, TenantName tenant, store::Place place,
                                  std::string prefix, net::ReplySink* reply) {
  auto watch = services.store->watch(tenant, place, prefix);
  if (!watch) co_return std::unexpected(std::move(watch).error());
  auto going = co_await reply->start(head_of(200, "text/event-stream"), std::nullopt);
  if (going) going = co_await reply->write("event: watching\ndata: {}\n\n");
  while (going) {
    const int what =
        co_await async::first_of(wait_for(&*watch), services.store->shard().sleep_for(kSilence));
    going = what == 0 ? co_await write_news(services.gate, watch->take(), reply)
                      : co_await reply->write(":\n\n");
  }
  reply->abort();
  co_return Result<void>();
}

}  // namespace carrel::api
