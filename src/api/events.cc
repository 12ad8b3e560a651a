#include "api/events.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/body.h"
#include "api/call_query.h"
#include "api/query.h"
#include "api/step.h"
#include "base/base64.h"
#include "delivery/dead_letters.h"
#include "patterns/hook/lane.h"
#include "store/record.h"
#include "turn/trace.h"

namespace carrel::api {
namespace {

using async::Task;
using Json = nlohmann::json;
using tenant::Verb;

constexpr std::size_t kMostKey = 255;
constexpr std::size_t kMostAtOnce = 500;  // dead letters that one commit redrives

std::string time_of(std::uint64_t milliseconds) {
  return hook::rfc3339(WallTime(std::chrono::milliseconds(milliseconds)));
}

Result<std::string> key_of(const net::Request& request) {
  std::string_view key = request.header("idempotency-key");
  if (key.size() >= 2 && key.front() == '"' && key.back() == '"')
    key = key.substr(1, key.size() - 2);
  if (key.size() > kMostKey)
    return fail(Code::bad_request, fmt::format("an Idempotency-Key has 1 to {} bytes", kMostKey));
  return key.empty() ? std::string() : fmt::format("key\n{}", key);
}

struct ListQuery {
  store::Place place = delivery::kDead;
  std::string after;
  std::size_t limit = 100;
};

Result<ListQuery> list_query(std::string_view text) {
  ListQuery query;
  CARREL_TRY(const auto pairs, read_query(text));
  for (const auto& [key, value] : pairs) {
    if (key == "state" && (value == "dead" || value == "open")) {
      query.place = value == "dead" ? delivery::kDead : delivery::kOpen;
    } else if (key == "after") {
      const auto after = from_base64url(value);
      if (!after) return fail(Code::invalid_argument, "`after` is not from a page's `next`");
      query.after = *after;
    } else if (key == "limit") {
      CARREL_TRY(query.limit, read_number(key, value, kMostListed));
    } else {
      return fail(Code::invalid_argument,
                  "deliveries are listed with state (dead or open), after and limit");
    }
  }
  return query;
}

Json to_json(const delivery::Item& item) {
  const auto lane = hook::parse_lane(item.name.lane);
  Json json = {{"id", item.name.id},        {"binding", lane ? lane->binding : ""},
               {"attempts", item.attempts}, {"made", time_of(item.made)},
               {"due", time_of(item.due)},  {"under_way", item.marked != 0}};
  if (!item.cause.empty()) json["cause"] = item.cause;
  return json;
}

Json to_json(const delivery::Name& damaged) {
  const auto lane = hook::parse_lane(damaged.lane);
  return {{"id", damaged.id}, {"binding", lane ? lane->binding : ""}, {"damaged", true}};
}

std::string lane_of(const hook::App& app, const hook::Point& point, std::string_view binding) {
  return hook::lane_text(
      {.tenant = app.tenant, .app = app.app, .point = point.name, .binding = std::string(binding)});
}

struct Redrive final : Step {
  std::vector<delivery::Name> names;
  std::uint64_t now = 0;
  std::vector<delivery::Name> done;
  Task<Result<void>> run(store::Transaction& transaction) override {
    done.clear();
    for (const delivery::Name& name : names) {
      const auto item = co_await delivery::redrive(&transaction, name, now);
      if (item) done.push_back(name);
      const bool stays = !item && (item.error().code() == Code::not_found ||
                                   item.error().code() == Code::data_corrupt);
      if (!item && !stays) co_return std::unexpected(item.error());
    }
    co_return Result<void>();
  }
};

// The event goes on with the trace of the request that tells of it, unless it says otherwise.
void carry_trace(const net::Request& request, hook::CloudEvent& event) {
  const bool says_so = std::ranges::any_of(
      event.extensions, [](const auto& extension) { return extension.first == "traceparent"; });
  const auto trace = turn::trace_of(request);
  if (!trace || says_so || event.extensions.size() + 2 > hook::kMostExtensions) return;
  event.extensions.emplace_back("traceparent", trace->traceparent());
  if (!trace->state.empty()) event.extensions.emplace_back("tracestate", trace->state);
}

}  // namespace

Task<std::optional<Result<Answer>>> EventApi::answer(HookRequest request) {
  std::string_view path = request.path;
  if (path == ":pause" || path == ":resume") co_return pause(request);
  if (!path.starts_with('/')) co_return std::nullopt;
  path.remove_prefix(1);
  const std::string_view point = path.substr(0, path.find_first_of("/:"));
  const std::string_view rest = path.substr(point.size());
  struct Way {
    std::string_view rest, method;
    Verb verb;
    Ask ask;
  };
  static constexpr std::array<Way, 3> kWays = {{
      {":emit", "POST", Verb::invoke, &EventApi::emit},
      {"/deliveries", "GET", Verb::logs, &EventApi::deliveries},
      {"/deliveries:redrive", "POST", Verb::invoke, &EventApi::redrive},
  }};
  const auto* const way = std::ranges::find(kWays, rest, &Way::rest);
  if (way == kWays.end()) co_return std::nullopt;
  if (auto allowed = may(request, way->verb, request.app->tenant); !allowed)
    co_return std::unexpected(std::move(allowed).error());
  const auto found = event_point(request, point);
  if (!found) co_return std::unexpected(found.error());
  if (request.exchange->request.method != way->method)
    co_return not_allowed(way->method, request.exchange->id);
  co_return co_await (this->*way->ask)(&request, *found);
}

Task<Result<Answer>> EventApi::emit(const HookRequest* request, const hook::Point* point) {
  net::Exchange& exchange = *request->exchange;
  if (!request->apps->is_live(*request->app)) {
    co_return fail(Code::invalid_argument,
                   "events are told of to versions that are live, not to previews");
  }
  hook::Emission emission;
  CARREL_CO_TRY(CallQuery query, read_call_query(exchange.request.query, *request->app));
  if (query.dry_run || query.longest != Nanos::max())
    co_return fail(Code::invalid_argument, "an event is emitted with tenant and subject only");
  if (query.tenant)
    emission.customers = request->apps->bound(*request->app, point->name, *query.tenant);
  emission.tenant = std::move(query.tenant);
  emission.subject = std::move(query.subject);
  CARREL_CO_TRY(emission.key, key_of(exchange.request));
  CARREL_CO_TRY(std::string body, co_await read_body(&exchange.body, 2 * hook::kMostEvent));
  CARREL_CO_TRY(emission.event, hook::read_event(exchange.request, std::move(body)));
  carry_trace(exchange.request, emission.event);
  const auto emitted = co_await emitter_.emit(request->app, point, std::move(emission));
  if (!emitted) {
    if (http_status(emitted.error().code()) != 429) co_return std::unexpected(emitted.error());
    Answer busy = explained_problem(emitted.error(), exchange.id);
    busy.head.headers.emplace_back("retry-after", "1");
    co_return busy;
  }
  Answer answer = json_answer({{"id", emitted->id}, {"deliveries", emitted->deliveries}});
  answer.head.status = 202;
  if (emitted->again) answer.head.headers.emplace_back("idempotency-replayed", "true");
  co_return answer;
}

Task<Result<Answer>> EventApi::deliveries(const HookRequest* request, const hook::Point* point) {
  CARREL_CO_TRY(const ListQuery query, list_query(request->exchange->request.query));
  store::Transaction transaction(*services_.store, request->app->tenant, {});
  CARREL_CO_TRY(const auto page, co_await delivery::read_items(&transaction, query.place,
                                                               lane_of(*request->app, *point, ""),
                                                               query.after, query.limit));
  CARREL_CO_TRY_VOID(co_await services_.gate->wait(transaction.seen()));
  Json list = Json::array();
  for (const auto& item : page.items) list.push_back(to_json(item));
  for (const auto& name : page.damaged) list.push_back(to_json(name));
  Json json = {{"deliveries", std::move(list)}};
  if (!page.next.empty()) json["next"] = to_base64url(page.next);
  co_return json_answer(json);
}

// A page of dead letters in one commit; those that are damaged stay. `prefix`: of their lanes;
// `id`: of one event, or all.
Task<Result<EventApi::Redriven>> EventApi::redrive_page(std::string prefix, std::string id,
                                                        std::string after) {
  Redrive step;
  step.now = store::milliseconds(clock_.wall());
  Redriven made;
  {
    store::Transaction transaction(*services_.store, TenantName(), {});
    CARREL_CO_TRY(auto page, co_await delivery::read_items(&transaction, delivery::kDead, prefix,
                                                           after, kMostAtOnce));
    for (auto& item : page.items) {
      if (id.empty() || item.name.id == id) step.names.push_back(std::move(item.name));
    }
    made.next = std::move(page.next);
  }
  if (step.names.empty()) co_return made;
  CARREL_CO_TRY_VOID(co_await commit(services_, TenantName(), {}, &step));
  for (const delivery::Name& name : step.done) ring_.add_again(name, step.now);
  made.count = step.done.size();
  co_return made;
}

Task<Result<Answer>> EventApi::redrive(const HookRequest* request, const hook::Point* point) {
  CARREL_CO_TRY(const std::string body, co_await read_body(&request->exchange->body, 4096));
  const Json json = body.empty() ? Json::object() : Json::parse(body, nullptr, false);
  std::string binding, id;
  if (!json.is_object()) co_return fail(Code::invalid_argument, "the body is no JSON object");
  for (const auto& [key, value] : json.items()) {
    if ((key != "binding" && key != "id") || !value.is_string() || value.empty())
      co_return fail(Code::invalid_argument, "the body has binding and id, as texts");
    (key == "id" ? id : binding) = value.get<std::string>();
  }
  std::string prefix = lane_of(*request->app, *point, binding);
  if (!binding.empty()) prefix += '\0';
  std::size_t all = 0;
  std::string after;
  bool more = true;
  while (more && emitter_.has_room(*request->app)) {
    CARREL_CO_TRY(Redriven page, co_await shelter_.run(redrive_page(prefix, id, after)));
    all += page.count;
    after = std::move(page.next);
    more = !after.empty();
  }
  co_return json_answer({{"redriven", all}, {"more", more}});
}

Result<Answer> EventApi::pause(const HookRequest& request) {
  CARREL_TRY_VOID(may(request, Verb::operate, tenant::kNode));
  if (request.exchange->request.method != "POST") return not_allowed("POST", request.exchange->id);
  CARREL_TRY_VOID(request.path == ":pause" ? switch_.pause() : switch_.resume());
  return no_content();
}

}  // namespace carrel::api
