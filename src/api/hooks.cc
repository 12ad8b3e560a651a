#include "api/hooks.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/body.h"
#include "api/query.h"
#include "tenant/path.h"

namespace carrel::api {
namespace {

using async::Task;
using Json = nlohmann::json;

constexpr std::string_view kPoints = "/v1/hooks";
constexpr std::string_view kInvoke = ":invoke";

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json to_json(const std::vector<document::Problem>& problems) {
  Json list = Json::array();
  for (const auto& each : problems) list.push_back({{"at", each.at}, {"message", each.message}});
  return list;
}

// What the caller may know of a module that is not its own: what came of it, not what it said.
Json to_json(const hook::Run& run) {
  Json json = {{"binding", run.binding},
               {"tenant", run.tenant.str()},
               {"status", hook::status_name(run.status)},
               {"micros", std::chrono::duration_cast<std::chrono::microseconds>(run.took).count()}};
  if (run.error) json["code"] = code_name(run.error->code());
  if (!run.problems.empty()) json["problems"] = to_json(run.problems);
  return json;
}

Json to_json(const std::vector<hook::Run>& runs) {
  Json list = Json::array();
  for (const auto& run : runs) list.push_back(to_json(run));
  return list;
}

Json to_json(const hook::Point& point) {
  Json bindings = Json::array();
  for (const auto& each : point.bindings) {
    Json binding = {{"name", each.name}, {"tenant", each.module.tenant.str()}};
    // Not its path, which may hold what nobody is to know.
    if (each.endpoint)
      binding["endpoint"] = each.endpoint->url.scheme + "://" + each.endpoint->url.authority();
    bindings.push_back(std::move(binding));
  }
  Json json = {{"point", point.name},
               {"kind", app::kind_name(point.kind)},
               {"bindings", std::move(bindings)}};
  if (point.kind == app::PointKind::call) json["combine"] = app::combine_name(point.combine);
  return json;
}

Answer list_of(const hook::App& app, bool paused) {
  Json points = Json::array();
  for (const auto& [name, point] : app.points) points.push_back(to_json(point));
  return json_answer({{"app", app.app.str()}, {"paused", paused}, {"points", std::move(points)}});
}

// The output stays as the modules wrote it.
Answer answer_of(const hook::Invocation& made) {
  return {head_of(200, "application/json"), fmt::format(R"({{"output":{},"runs":{}}})"
                                                        "\n",
                                                        made.output, text_of(to_json(made.runs)))};
}

Answer failure_of(const hook::Invocation& made, std::uint64_t id) {
  Answer answer = problem(*made.error, id);
  Json json = Json::parse(answer.body, nullptr, false);
  if (!made.culprit.empty()) json["binding"] = made.culprit;
  if (!made.problems.empty()) {
    json["detail"] = document::text_of(made.problems);
    json["problems"] = to_json(made.problems);
  }
  if (!made.runs.empty()) json["runs"] = to_json(made.runs);
  answer.body = text_of(json) + "\n";
  if (answer.head.status == 503) answer.head.headers.emplace_back("retry-after", "1");
  return answer;
}

// "tenant=shop/merchant-17", which is the app's tenant or lies below it.
Result<std::optional<TenantName>> tenant_of(std::string_view query, const hook::App& app) {
  std::optional<TenantName> tenant;
  CARREL_TRY(const auto pairs, read_query(query));
  for (const auto& [key, value] : pairs) {
    if (key != "tenant") return fail(Code::invalid_argument, "a point is called with tenant only");
    CARREL_TRY(tenant, tenant::parse_tenant(value));
    if (!tenant::contains(app.tenant, *tenant)) {
      return fail(Code::invalid_argument,
                  fmt::format("the tenant is not {} or below it", app.tenant.str()));
    }
  }
  return tenant;
}

// "cart.discounts" of "/v1/hooks/cart.discounts:invoke".
std::optional<std::string_view> point_in(std::string_view path) {
  if (!path.starts_with(kPoints)) return {};
  path.remove_prefix(kPoints.size());
  if (!path.starts_with('/') || !path.ends_with(kInvoke)) return {};
  path.remove_prefix(1);
  path.remove_suffix(kInvoke.size());
  return path;
}

Answer not_allowed(std::string_view methods, std::uint64_t id) {
  Answer answer = problem(Error(Code::method_not_allowed), id);
  answer.head.headers.emplace_back("allow", methods);
  return answer;
}

}  // namespace

Task<void> HookApi::handle(net::Exchange& exchange) {
  auto made = co_await answer(&exchange);
  if (exchange.reply.started()) co_return;
  Answer sent;
  if (made) {
    sent = std::move(*made);
  } else {
    const bool own = http_status(made.error().code()) < 500;
    sent = own ? explained_problem(made.error(), exchange.id) : problem(made.error(), exchange.id);
  }
  const std::string body = std::move(sent.body);
  (void)co_await exchange.reply.send(std::move(sent.head), body);
}

// Without a token nobody learns which apps and points there are.
Task<Result<Answer>> HookApi::answer(net::Exchange* exchange) {
  const net::Request& request = exchange->request;
  CARREL_CO_TRY(const auto principal,
                co_await authenticator_.identify(&request, services_, &clock_));
  const auto app = apps_->find(request.host);
  if (!app) co_return fail(Code::not_found, "no app with hook points has this host name");
  if (request.path.starts_with(kPoints)) {
    const HookRequest asked{.exchange = exchange,
                            .principal = principal,
                            .app = app,
                            .path = request.path.substr(kPoints.size())};
    if (auto made = co_await events_.answer(asked)) co_return std::move(*made);
    if (auto made = co_await shadow_.answer(asked)) co_return std::move(*made);
  }
  if (!principal.may(tenant::Verb::invoke, app->tenant)) {
    co_return fail(Code::permission_denied,
                   fmt::format("the verb \"invoke\" on tenant {} is needed", app->tenant.str()));
  }
  if (request.path == kPoints) {
    if (request.method == "GET" || request.method == "HEAD")
      co_return list_of(*app, events_.paused());
    co_return not_allowed("GET, HEAD", exchange->id);
  }
  const auto name = point_in(request.path);
  if (!name) co_return fail(Code::not_found, "POST /v1/hooks/POINT:invoke calls a point");
  const auto point = app->points.find(*name);
  if (point == app->points.end())
    co_return fail(Code::not_found, fmt::format("the app {} has no such point", app->app.str()));
  if (request.method != "POST") co_return not_allowed("POST", exchange->id);
  if (point->second.kind != app::PointKind::call) {
    co_return fail(Code::invalid_argument,
                   "the point is of kind \"event\": POST /v1/hooks/POINT:emit tells of one");
  }
  co_return co_await invoke(exchange, app, &point->second);
}

Task<Result<Answer>> HookApi::invoke(net::Exchange* exchange, std::shared_ptr<const hook::App> app,
                                     const hook::Point* point) {
  hook::Call call{.id = exchange->id};
  CARREL_CO_TRY(call.tenant, tenant_of(exchange->request.query, *app));
  CARREL_CO_TRY(call.input, co_await read_body(&exchange->body, hook::kMaxDocument));
  const hook::Invocation made = co_await invoker_.invoke(std::move(app), point, std::move(call));
  co_return made.error ? failure_of(made, exchange->id) : answer_of(made);
}

}  // namespace carrel::api
