// Deployed apps: list, show, roll back, remove, restore.
#include <array>
#include <nlohmann/json.hpp>

#include "api/app_change.h"
#include "api/query.h"
#include "api/step.h"
#include "app/deployment/desk.h"
#include "base/percent.h"
#include "tenant/tenant.h"

namespace carrel::api {
namespace {

using async::Task;
using deployment::AppRecord;
using deployment::Scope;
using Json = nlohmann::json;

constexpr auto kGrace = std::chrono::hours(24 * 7);  // between an app's removal and its versions'

struct List final : Step {
  explicit List(Call* c) : call(c) {}
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY(const auto tenant, co_await tenant::require(&transaction, call->tenant));
    CARREL_CO_TRY(
        const store::NamePage page,
        co_await transaction.read_names(deployment::kApps, query.prefix, query.after, query.limit));
    Json entries = Json::array();
    for (const auto& entry : page.entries) {
      const Scope scope{.tenant = tenant.name, .app = AppName(entry.name)};
      CARREL_CO_TRY(const auto app, co_await deployment::find_app(&transaction, scope.app));
      if (app) entries.push_back(describe(scope, *app, *call->stage));
    }
    Json json = {{"apps", std::move(entries)}};
    if (!page.end && !page.entries.empty()) json["next"] = percent_encode(page.entries.back().name);
    answer = json_answer(json);
    co_return Result<void>();
  }
  Call* call;
  PageQuery query;
  Answer answer;
};

Task<Result<Answer>> list(Call* call) {
  if (call->stage == nullptr) co_return fail(Code::unavailable);
  List step(call);
  CARREL_CO_TRY(step.query, read_page_query(call->request().query));
  CARREL_CO_TRY_VOID(co_await commit(call->services, call->tenant, {}, &step));
  co_return std::move(step.answer);
}

struct Show final : Step {
  Show(Call* c, Scope s) : call(c), scope(std::move(s)) {}
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY(const auto tenant, co_await tenant::require(&transaction, call->tenant));
    CARREL_CO_TRY(const auto app, co_await deployment::find_app(&transaction, scope.app));
    if (!app) co_return fail(Code::not_found, "there is no app of that name");
    answer = answer_of({.tenant = tenant.name, .app = scope.app}, *app, *call->stage);
    co_return Result<void>();
  }
  Call* call;
  Scope scope;
  Answer answer;
};

Task<Result<Answer>> show(Call* call) {
  CARREL_CO_TRY(Scope scope, scope_of(*call));
  Show step(call, std::move(scope));
  CARREL_CO_TRY_VOID(co_await commit(call->services, call->tenant, {}, &step));
  co_return std::move(step.answer);
}

Task<Result<Answer>> roll_back(Call* call) {
  CARREL_CO_TRY(Scope scope, scope_of(*call));
  co_return co_await change_app(call, {.scope = std::move(scope), .edit = &deployment::roll_back});
}

Task<Result<Answer>> remove(Call* call) {
  CARREL_CO_TRY(Scope scope, scope_of(*call));
  const WallTime until = call->clock.wall() + kGrace;
  AppChange change{.scope = std::move(scope), .edit = [until](AppRecord& app) -> Result<void> {
                     app.removed = until;
                     return {};
                   }};
  co_return co_await change_app(call, std::move(change));
}

Task<Result<Answer>> restore(Call* call) {
  CARREL_CO_TRY(Scope scope, scope_of(*call));
  AppChange change{.scope = std::move(scope),
                   .edit = [](AppRecord& app) -> Result<void> {
                     app.removed = {};
                     return {};
                   },
                   .removed = true};
  co_return co_await change_app(call, std::move(change));
}

}  // namespace

std::span<const Operation> app_operations() {
  static constexpr auto kOperations = std::to_array<Operation>({
      {"appsOfTenant", "GET", "/v1/tenants/{tenant}/apps", list},
      {"app", "GET", "/v1/tenants/{tenant}/apps/{app}", show},
      {"removeApp", "DELETE", "/v1/tenants/{tenant}/apps/{app}", remove},
      {"restoreApp", "POST", "/v1/tenants/{tenant}/apps/{app}:restore", restore},
      {"rollBack", "POST", "/v1/tenants/{tenant}/apps/{app}:rollback", roll_back},
  });
  return kOperations;
}

}  // namespace carrel::api
