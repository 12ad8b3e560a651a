// The node's own operations: its health and status, what it serves, backups, this API's text.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "api/backup.h"
#include "api/call.h"
#include "api/openapi.h"
#include "api/served.h"
#include "api/store_status.h"
#include "base/percent.h"
#include "observe/exposition.h"

namespace carrel::api {
namespace {

using async::Task;
using Json = nlohmann::json;

Json describe(const AppInfo& app) {
  Json json = {{"name", app.name},        {"tenant", app.tenant},
               {"hosts", app.hosts},      {"routes", app.routes},
               {"modules", app.modules},  {"loaded", time_text(app.loaded)},
               {"deployed", app.deployed}};
  if (!app.problem.empty()) json["problem"] = app.problem;
  return json;
}

Task<Result<Answer>> health(Call*) { co_return json_answer({{"status", "ok"}}); }

Task<Result<Answer>> ready(Call* call) {
  using Health = store::StoreStatus::Health;
  auto* const store = call->services.store;
  const bool stores = store == nullptr || store->store().health() == Health::well;
  if (stores && call->node.readiness() == Readiness::ready)
    co_return json_answer({{"status", "ready"}});
  co_return fail(Code::unavailable);
}

Task<Result<Answer>> metrics(Call* call) {
  co_return Answer{head_of(200, observe::kExpositionType), call->node.metrics()};
}

Task<Result<Answer>> status(Call* call) {
  const auto info = call->node.info();
  const auto up =
      std::chrono::duration_cast<std::chrono::seconds>(call->clock.wall() - info->started).count();
  Json apps = Json::array();
  for (const AppInfo& app : served_apps(call->node, tenant::kNode, {}).apps)
    apps.push_back(app.name);
  const Readiness readiness = call->node.readiness();
  Json json = {{"version", info->version},
               {"state", readiness == Readiness::ready      ? "ready"
                         : readiness == Readiness::starting ? "starting"
                                                            : "draining"},
               {"started", time_text(info->started)},
               {"uptime_seconds", up < 0 ? 0 : up},
               {"shards", info->shards},
               {"app_count", count_served(call->node)},
               {"apps", apps}};
  if (call->services.store != nullptr)
    json["store"] = api::describe(call->services.store->store().status());
  co_return json_answer(json);
}

Task<Result<Answer>> apps(Call* call) {
  CARREL_CO_TRY(const ServedQuery query, read_served_query(call->request().query));
  const ServedPage page = served_apps(call->node, call->principal.scope, query);
  Json json = {{"apps", Json::array()}};
  for (const AppInfo& app : page.apps) json["apps"].push_back(describe(app));
  if (!page.next.empty()) json["next"] = percent_encode(page.next);
  co_return json_answer(json);
}

Task<Result<Answer>> description(Call*) {
  co_return Answer{head_of(200, "application/yaml"), std::string(openapi_yaml())};
}

}  // namespace

std::span<const Operation> node_operations() {
  static constexpr auto kOperations = std::to_array<Operation>({
      {"health", "GET", "/healthz", health},
      {"readiness", "GET", "/readyz", ready},
      {"metrics", "GET", "/metrics", metrics},
      {"status", "GET", "/v1/status", status},
      {"apps", "GET", "/v1/apps", apps},
      {"description", "GET", "/v1/openapi.yaml", description},
      {"backup", "POST", "/v1/store:backup", back_up},
  });
  return kOperations;
}

}  // namespace carrel::api
