#include "api/endpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "api/query.h"
#include "api/step.h"
#include "base/base64.h"
#include "patterns/hook/cloud_event.h"
#include "patterns/hook/endpoint_state.h"
#include "patterns/hook/lane.h"
#include "wasi/names.h"

namespace carrel::api {
namespace {

using async::Task;
using hook::Binding;
using hook::EndpointState;
using Json = nlohmann::json;
using tenant::Verb;

constexpr std::size_t kMostEndpoints = 100;  // of a page; each has its last attempts

std::string time_of(std::uint64_t milliseconds) {
  return hook::rfc3339(WallTime(std::chrono::milliseconds(milliseconds)));
}

Json to_json(const hook::AttemptNote& note) {
  Json json = {{"at", time_of(note.at)},
               {"id", note.id},
               {"attempt", note.attempt},
               {"millis", note.millis}};
  if (note.status != 0) json["status"] = note.status;
  if (!note.cause.empty()) json["cause"] = note.cause;
  return json;
}

Json to_json(const Binding& binding, const EndpointState& state) {
  Json attempts = Json::array();
  for (const auto& note : state.notes) attempts.push_back(to_json(note));
  Json json = {{"binding", binding.name},
               {"tenant", binding.module.tenant.str()},
               {"disabled", state.disabled != 0},
               {"attempts", std::move(attempts)}};
  if (state.failing_since != 0) json["failing_since"] = time_of(state.failing_since);
  if (state.disabled != 0) json["why"] = state.why;
  return json;
}

std::string lane_of(const hook::App& app, const hook::Point& point, std::string_view binding) {
  return hook::lane_text(
      {.tenant = app.tenant, .app = app.app, .point = point.name, .binding = std::string(binding)});
}

// What is damaged begins anew.
Task<Result<EndpointState>> read_state(store::Transaction* transaction, std::string lane) {
  auto state = co_await hook::read_endpoint(transaction, std::move(lane));
  if (!state && state.error().code() == Code::data_corrupt) co_return EndpointState();
  co_return state;
}

struct Enable final : Step {
  std::string lane;
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY(EndpointState state, co_await read_state(&transaction, lane));
    state.disabled = state.failing_since = 0;
    state.why.clear();
    co_return transaction.put(hook::kEndpoints, lane, {.bytes = encode(state)});
  }
};

struct Query {
  std::optional<TenantName> tenant;
  std::string after;
  std::size_t limit = kMostEndpoints;
};

Result<Query> read_list_query(std::string_view text) {
  Query query;
  CARREL_TRY(const auto pairs, read_query(text));
  for (const auto& [key, value] : pairs) {
    if (key == "tenant") {
      CARREL_TRY(query.tenant, tenant::parse_tenant(value));
    } else if (key == "after") {
      const auto after = from_base64url(value);
      if (!after) return fail(Code::invalid_argument, "`after` is not from a page's `next`");
      query.after = *after;
    } else if (key == "limit") {
      CARREL_TRY(query.limit, read_number(key, value, kMostEndpoints));
    } else {
      return fail(Code::invalid_argument, "endpoints are listed with tenant, after and limit");
    }
  }
  return query;
}

// Whose app it is; or, of `customer`, a tenant below the app's, whose it is.
Result<void> may_either(const HookRequest& request, Verb verb,
                        const std::optional<TenantName>& customer) {
  const TenantName& owner = request.app->tenant;
  const bool below = customer && *customer != owner && tenant::contains(owner, *customer);
  if (below && request.principal.may(verb, *customer)) return {};
  return may(request, verb, owner);
}

// The tenant that "merchant-17/crm" is of; nothing: it is the manifest's.
std::optional<TenantName> customer_of(const HookRequest& request, std::string_view full_name) {
  const auto slash = full_name.rfind('/');
  if (slash == std::string_view::npos) return {};
  return TenantName(fmt::format("{}/{}", request.app->tenant.str(), full_name.substr(0, slash)));
}

// The binding at the point: the manifest's or a customer's. Null: there is no such endpoint.
std::shared_ptr<const Binding> endpoint_at(const HookRequest& request, const hook::Point& point,
                                           std::string_view name) {
  std::shared_ptr<const Binding> found;
  const auto own = std::ranges::find(point.bindings, name, &Binding::name);
  if (own != point.bindings.end()) {
    found = std::shared_ptr<const Binding>(request.app, &*own);
  } else {
    found = request.apps->bound(request.app->tenant, request.app->app, point.name, name);
  }
  return found && found->endpoint ? found : nullptr;
}

struct Page {
  hook::Bindings endpoints;
  std::string next;
};

// What the customer has bound, and those between it and the app, as far as the asker may know.
Page of_customer(const HookRequest& request, const hook::Point& point, const TenantName& customer) {
  Page page;
  const bool all = request.principal.may(Verb::logs, request.app->tenant);
  for (auto& each : request.apps->bound(*request.app, point.name, customer)) {
    if (each->endpoint && (all || request.principal.may(Verb::logs, each->module.tenant)))
      page.endpoints.push_back(std::move(each));
  }
  return page;
}

// The point's own, then customers' that have been told of something, in order of names: a look at
// those of each customer that there may be would be one at all tenants.
Task<Result<Page>> of_all(const HookRequest* request, const hook::Point* point, Query query,
                          store::Transaction* transaction) {
  Page page;
  if (query.after.empty()) {
    for (const Binding& own : point->bindings) {
      if (own.endpoint) page.endpoints.emplace_back(request->app, &own);
    }
  }
  const std::string lanes = lane_of(*request->app, *point, "");
  CARREL_CO_TRY(
      const store::NamePage names,
      co_await transaction->read_names(hook::kEndpoints, lanes, query.after, query.limit));
  for (const auto& entry : names.entries) {
    const std::string_view name = std::string_view(entry.name).substr(lanes.size());
    if (!name.contains('/')) continue;
    if (auto found = endpoint_at(*request, *point, name))
      page.endpoints.push_back(std::move(found));
  }
  if (!names.end && !names.entries.empty()) page.next = names.entries.back().name;
  co_return page;
}

}  // namespace

Task<std::optional<Result<Answer>>> EndpointApi::answer(HookRequest request) {
  constexpr std::string_view kEndpoints = "/endpoints", kEnable = ":enable";
  std::string_view path = request.path;
  if (!path.starts_with('/')) co_return std::nullopt;
  path.remove_prefix(1);
  const std::string_view point = path.substr(0, path.find_first_of("/:"));
  std::string_view rest = path.substr(point.size());
  if (!rest.starts_with(kEndpoints)) co_return std::nullopt;
  rest.remove_prefix(kEndpoints.size());
  if (rest.empty()) co_return co_await list(&request, point);
  if (!rest.starts_with('/') || !rest.ends_with(kEnable)) co_return std::nullopt;
  rest.remove_prefix(1);
  rest.remove_suffix(std::min(rest.size(), kEnable.size()));
  if (rest.empty()) co_return std::nullopt;
  co_return co_await enable(&request, point, rest);
}

Task<Result<Answer>> EndpointApi::list(const HookRequest* request, std::string_view name) {
  CARREL_CO_TRY(Query query, read_list_query(request->exchange->request.query));
  CARREL_CO_TRY_VOID(may_either(*request, Verb::logs, query.tenant));
  CARREL_CO_TRY(const hook::Point* const point, event_point(*request, name));
  if (request->exchange->request.method != "GET")
    co_return not_allowed("GET", request->exchange->id);
  store::Transaction transaction(*services_.store, request->app->tenant, {});
  Page page;
  if (query.tenant) {
    page = of_customer(*request, *point, *query.tenant);
  } else {
    CARREL_CO_TRY(page, co_await of_all(request, point, std::move(query), &transaction));
  }
  Json list = Json::array();
  for (const auto& each : page.endpoints) {
    CARREL_CO_TRY(const EndpointState state,
                  co_await read_state(&transaction, lane_of(*request->app, *point, each->name)));
    list.push_back(to_json(*each, state));
  }
  CARREL_CO_TRY_VOID(co_await services_.gate->wait(transaction.seen()));
  Json json = {{"endpoints", std::move(list)}};
  if (!page.next.empty()) json["next"] = to_base64url(page.next);
  co_return json_answer(json);
}

Task<Result<Answer>> EndpointApi::enable(const HookRequest* request, std::string_view point_name,
                                         std::string_view name) {
  const auto binding = wasi::decode_name(name);
  if (!binding) co_return fail(Code::invalid_argument, "the path is not percent-encoded");
  CARREL_CO_TRY_VOID(may_either(*request, Verb::invoke, customer_of(*request, *binding)));
  CARREL_CO_TRY(const hook::Point* const point, event_point(*request, point_name));
  if (request->exchange->request.method != "POST")
    co_return not_allowed("POST", request->exchange->id);
  if (!endpoint_at(*request, *point, *binding))
    co_return fail(Code::not_found, "the point has no such endpoint");
  Enable step;
  step.lane = lane_of(*request->app, *point, *binding);
  CARREL_CO_TRY_VOID(co_await commit(services_, request->app->tenant, {}, &step));
  co_return no_content();
}

}  // namespace carrel::api
