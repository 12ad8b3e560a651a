#include "api/watch.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/answer.h"

namespace carrel::api {
namespace {

using Json = nlohmann::json;

std::string text_of(const store::Told& told) {
  Json json = {{"version", static_cast<std::uint64_t>(told.version)}};
  add_name(json, told.name);
  return fmt::format("event: {}\ndata: {}\n\n", told.erased ? "delete" : "put",
                     json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

// Nothing is told before it is durable. What may never be so is a gap, and all that comes with it.
async::Task<std::vector<std::string>> Changes::take() {
  store::News news = watch_.take();
  if (!news.told.empty() && !co_await gate_.wait(news.told.back().version)) news = {.gap = true};
  std::vector<std::string> events;
  if (news.gap) events.emplace_back(kGapEvent);
  for (const store::Told& told : news.told) events.push_back(text_of(told));
  co_return events;
}

}  // namespace carrel::api
