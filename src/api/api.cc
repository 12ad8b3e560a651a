#include "api/api.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "api/backup.h"
#include "api/openapi.h"
#include "api/store_status.h"

namespace carrel::api {
namespace {

using Json = nlohmann::json;

enum class Access { open, token };

std::string time_text(WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

Json describe(const AppInfo& app) {
  Json json = {{"name", app.name},     {"tenant", app.tenant},   {"hosts", app.hosts},
               {"routes", app.routes}, {"modules", app.modules}, {"loaded", time_text(app.loaded)}};
  if (!app.problem.empty()) json["problem"] = app.problem;
  return json;
}

bool reads(std::string_view method) { return method == "GET" || method == "HEAD"; }

}  // namespace

// Everything here is read with GET; a HEAD is answered alike, without the body.
struct Api::Route {
  std::string_view path;
  Access access;
  Answer (Api::*answer)() const;
};

std::span<const Api::Route> Api::routes() {
  static constexpr std::array<Route, 5> kRoutes = {{
      {"/healthz", Access::open, &Api::health},
      {"/readyz", Access::open, &Api::ready},
      {"/v1/status", Access::token, &Api::status},
      {"/v1/apps", Access::token, &Api::apps},
      {"/v1/openapi.yaml", Access::token, &Api::description},
  }};
  return kRoutes;
}

async::Task<void> Api::handle(net::Exchange& exchange) {
  Answer answer;
  const bool backup = exchange.request.path == kBackupPath;
  if (!backup && !is_state_path(exchange.request.path)) {
    answer = this->answer(exchange.request, exchange.id);
  } else if (const auto may = check(exchange.request); !may) {
    answer = problem(may.error(), exchange.id);
  } else if (backup) {
    answer = co_await answer_backup(state_, &exchange);
  } else {
    answer = co_await answer_state(state_, &node_, &exchange);
  }
  if (exchange.reply.started()) co_return;
  const std::string body = std::move(answer.body);
  (void)co_await exchange.reply.send(std::move(answer.head), body);
}

Result<void> Api::check(const net::Request& request) const {
  CARREL_TRY_VOID(guard_.check_place(request));
  return guard_.check_token(request);
}

// Without a token nobody learns which paths exist.
Result<const Api::Route*> Api::admit(const net::Request& request) const {
  const Route* found = nullptr;
  for (const Route& route : routes()) {
    if (route.path == request.path) found = &route;
  }
  if (found == nullptr || found->access == Access::token) {
    CARREL_TRY_VOID(check(request));
  }
  if (found == nullptr) return fail(Code::not_found, "the API has no such path");
  if (!reads(request.method)) return fail(Code::method_not_allowed, "the path is read with GET");
  return found;
}

Answer Api::answer(const net::Request& request, std::uint64_t id) const {
  const auto route = admit(request);
  if (!route) {
    Answer refusal = problem(route.error(), id);
    if (route.error().code() == Code::method_not_allowed) {
      refusal.head.headers.emplace_back("allow", "GET, HEAD");
    }
    return refusal;
  }
  Answer answer = (this->*(*route)->answer)();
  if (answer.head.status == http_status(Code::unavailable))
    return problem(Error(Code::unavailable), id);
  return answer;
}

Answer Api::health() const { return json_answer({{"status", "ok"}}); }

Answer Api::ready() const {
  if (node_.readiness() != Readiness::ready)
    return {{.status = http_status(Code::unavailable)}, ""};
  return json_answer({{"status", "ready"}});
}

Answer Api::status() const {
  const auto info = node_.info();
  const auto up =
      std::chrono::duration_cast<std::chrono::seconds>(clock_.wall() - info->started).count();
  Json apps = Json::array();
  for (const AppInfo& app : info->apps) apps.push_back(app.name);
  const Readiness readiness = node_.readiness();
  Json json = {{"version", info->version},
               {"state", readiness == Readiness::ready      ? "ready"
                         : readiness == Readiness::starting ? "starting"
                                                            : "draining"},
               {"started", time_text(info->started)},
               {"uptime_seconds", up < 0 ? 0 : up},
               {"shards", info->shards},
               {"apps", apps}};
  if (state_.store != nullptr) json["store"] = describe(state_.store->store().status());
  return json_answer(json);
}

Answer Api::apps() const {
  Json apps = Json::array();
  for (const AppInfo& app : node_.info()->apps) apps.push_back(describe(app));
  return json_answer({{"apps", apps}});
}

Answer Api::description() const {
  return {head_of(200, "application/yaml"), std::string(openapi_yaml())};
}

}  // namespace carrel::api
