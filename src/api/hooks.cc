#include "api/hooks.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/body.h"
#include "api/call_query.h"
#include "base/share.h"
#include "patterns/hook/report.h"
#include "turn/trace.h"

namespace carrel::api {
namespace {

using async::Task;
using Json = nlohmann::json;

constexpr std::string_view kPoints = "/v1/hooks";
constexpr std::string_view kInvoke = ":invoke";
constexpr std::string_view kVersionKey = "carrel-version-key";  // as functions have it

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Answer list_of(const hook::App& app, bool paused) {
  return json_answer({{"app", app.app.str()},
                      {"paused", paused},
                      {"points", Json::parse(hook::points_text(app), nullptr, false)}});
}

// The output stays as the modules wrote it.
Answer answer_of(const hook::Invocation& made) {
  return {head_of(200, "application/json"), fmt::format(R"({{"output":{},"runs":{}}})"
                                                        "\n",
                                                        made.output, hook::runs_text(made.runs))};
}

Answer failure_of(const hook::Invocation& made, std::uint64_t id) {
  Answer answer = problem(*made.error, id);
  Json json = Json::parse(answer.body, nullptr, false);
  json.update(Json::parse(hook::failure_text(made), nullptr, false));
  if (!made.problems.empty()) json["detail"] = document::text_of(made.problems);
  answer.body = text_of(json) + "\n";
  if (answer.head.status == 503) answer.head.headers.emplace_back("retry-after", "1");
  return answer;
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
  const std::string_view key = request.header(kVersionKey);
  const auto app = apps_->find(
      request.host, key.empty() ? place_among_hundred(exchange->id) : place_among_hundred(key));
  if (!app) co_return fail(Code::not_found, "no app with hook points has this host name");
  if (request.path.starts_with(kPoints)) {
    const HookRequest asked{.exchange = exchange,
                            .principal = principal,
                            .apps = apps_,
                            .app = app,
                            .path = request.path.substr(kPoints.size())};
    if (auto made = co_await events_.answer(asked)) co_return std::move(*made);
    if (auto made = co_await endpoints_.answer(asked)) co_return std::move(*made);
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
  CARREL_CO_TRY(CallQuery query, read_call_query(exchange->request.query, *app));
  // Of a preview nobody but the app's own tenant is to see anything.
  if (query.tenant && apps_->is_live(*app))
    call.customers = apps_->bound(*app, point->name, *query.tenant);
  call.tenant = std::move(query.tenant);
  call.subject = std::move(query.subject);
  call.longest = query.longest;
  if (query.dry_run) call.kind = hook::Call::Kind::rehearsal;
  CARREL_CO_TRY(call.input, co_await read_body(&exchange->body, hook::kMaxDocument));
  auto [here, span] = turn::trace_request(services_.tracer, exchange->request,
                                          "/v1/hooks/" + point->name + std::string(kInvoke));
  call.trace = std::move(here);
  const hook::Invocation made = co_await invoker_.invoke(std::move(app), point, std::move(call));
  turn::end_request(span, made.error ? http_status(made.error->code()) : 200, made.error);
  co_return made.error ? failure_of(made, exchange->id) : answer_of(made);
}

}  // namespace carrel::api
