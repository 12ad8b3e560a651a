// Tenants: create, list, show, update, remove, restore.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/access.h"
#include "api/audit.h"
#include "api/call.h"
#include "api/etag.h"
#include "api/query.h"
#include "api/step.h"
#include "app/deployment/desk.h"
#include "base/percent.h"
#include "patterns/hook/binding_record.h"
#include "tenant/enforce.h"
#include "tenant/tenant.h"

namespace carrel::api {
namespace {

using async::Task;
using tenant::Tenant;
using Json = nlohmann::json;

constexpr auto kGrace = std::chrono::hours(24 * 7);  // between a tenant's removal and its data's

Json describe(const Tenant& tenant) {
  Json json = {{"name", tenant.name.str()}};
  json.update(to_json(tenant));
  return json;
}

std::string etag_of(const Tenant& tenant) { return api::etag_of(describe(tenant).dump()); }

Answer answer_of(const Tenant& tenant) {
  Answer answer = json_answer(describe(tenant));
  answer.head.headers.emplace_back("etag", etag_of(tenant));
  return answer;
}

// Reads the record and keeps it as it is: it so comes after every change that was on its way, and
// is run again when it met one.
struct Confirmation final : Step {
  explicit Confirmation(TenantName n) : name(std::move(n)) {}
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY(found, co_await tenant::find(&transaction, name));
    if (found) co_return tenant::keep(transaction, *found);
    co_return Result<void>();
  }
  TenantName name;
  std::optional<Tenant> found;
};

// Makes the newest record's quotas count; at the start the server does the same for all.
class EnforceJob final : public Work::Job {
 public:
  EnforceJob(const turn::Services& services, TenantName tenant)
      : services_(services), tenant_(std::move(tenant)) {}
  Task<Result<Answer>> run() override {
    Confirmation step(tenant_);
    CARREL_CO_TRY_VOID(co_await commit(services_, tenant::kNode, {}, &step));
    if (step.found) tenant::enforce(services_.store->store(), services_.allowances, *step.found);
    co_return Answer();
  }

 private:
  const turn::Services services_;
  const TenantName tenant_;
};

// There before the record is changed: a client that goes meanwhile leaves no change that does not
// count.
class Enforcement {
 public:
  Enforcement(Call* call, TenantName tenant)
      : work_(call->work), job_(std::make_shared<EnforceJob>(call->services, std::move(tenant))) {}
  Enforcement(const Enforcement&) = delete;
  Enforcement& operator=(const Enforcement&) = delete;
  ~Enforcement() {
    if (job_) work_.begin(std::move(job_));
  }
  Task<Result<Answer>> done() { return work_.see_through(std::exchange(job_, nullptr)); }

 private:
  Work& work_;
  std::shared_ptr<Work::Job> job_;
};

struct Creation final : AnsweringStep {
  using AnsweringStep::AnsweringStep;
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY(const auto there, co_await tenant::find(&transaction, tenant.name));
    if (there && there->removed)
      co_return fail(Code::already_exists,
                     "a removed tenant has this name until its data is gone; restore it, or wait");
    if (there) co_return fail(Code::already_exists, "there is a tenant of that name");
    const TenantName parent = tenant::parent_of(tenant.name);
    if (parent != tenant::kNode) {
      const auto above = co_await tenant::require(&transaction, parent);
      if (!above && above.error().code() == Code::not_found)
        co_return fail(Code::not_found, fmt::format("there is no tenant {}", parent.str()));
      if (!above) co_return std::unexpected(above.error());
    }
    CARREL_CO_TRY_VOID(tenant::keep(transaction, tenant));
    CARREL_CO_TRY_VOID(record(transaction, *call, tenant.name, {"", Json(), to_json(tenant)}));
    answer = answer_of(tenant);
    answer.head.status = 201;
    answer.head.headers.emplace_back("location",
                                     "/v1/tenants/" + percent_encode(tenant.name.str()));
    co_return Result<void>();
  }
  Tenant tenant;
};

// A weight is a share of the whole node: not for a tenant to give its own.
Result<void> check_weight(const Call& call, const Json& quotas) {
  if (!quotas.is_object() || !quotas.contains("weight") || call.principal.scope == tenant::kNode)
    return {};
  return fail(Code::permission_denied, "a tenant's `weight` is the node's to set");
}

// {"name": "acme", "quotas": {...}}
Result<Tenant> read_creation(const Json& json, WallTime now) {
  Tenant tenant{.created = now};
  for (const auto& [key, value] : json.items()) {
    if (key == "name" && value.is_string()) {
      CARREL_TRY(tenant.name, tenant::parse_tenant(value.get<std::string>()));
    } else if (key == "quotas") {
      CARREL_TRY_VOID(tenant::merge(value, tenant.quotas));
    } else {
      return fail(Code::invalid_argument, "a tenant is created with name and quotas");
    }
  }
  if (tenant.name != tenant::kNode) return tenant;
  return fail(Code::invalid_argument, R"(the body names no tenant: send {"name": "acme"})");
}

Task<Result<Answer>> create(Call* call) {
  CARREL_CO_TRY(const Body body, co_await read_object(call));
  Creation step(call);
  CARREL_CO_TRY(step.tenant, read_creation(body.json, call->clock.wall()));
  CARREL_CO_TRY_VOID(authorise(*access_of(call->operation.id), call->principal, step.tenant.name));
  CARREL_CO_TRY_VOID(check_weight(*call, body.json.value("quotas", Json())));
  Enforcement enforcement(call, step.tenant.name);
  CARREL_CO_TRY(Answer answer, co_await commit_once(call, tenant::kNode, {}, body.text, &step));
  CARREL_CO_TRY_VOID(co_await enforcement.done());
  co_return answer;
}

struct Show final : AnsweringStep {
  using AnsweringStep::AnsweringStep;
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY(const auto found, co_await tenant::find(&transaction, call->tenant));
    if (!found) co_return fail(Code::not_found, "there is no tenant of that name");
    answer = answer_of(*found);
    Json json = describe(*found);
    json["stored_bytes"] = call->services.store->store().stored_below(found->name);
    answer.body = json_answer(json).body;
    co_return Result<void>();
  }
};

Task<Result<Answer>> show(Call* call) {
  Show step(call);
  co_return co_await commit_answering(call, tenant::kNode, {}, &step);
}

// Of a subtree: its own tenant, then all below it, in order of names.
struct List final : AnsweringStep {
  using AnsweringStep::AnsweringStep;
  Task<Result<void>> run(store::Transaction& transaction) override {
    const std::string& scope = call->principal.scope.str();
    Json entries = Json::array();
    if (!scope.empty() && query.after < scope && scope.starts_with(query.prefix)) {
      CARREL_CO_TRY(const auto own, co_await tenant::find(&transaction, call->principal.scope));
      if (own) entries.push_back(describe(*own));
    }
    const std::string below = scope.empty() ? "" : scope + "/";
    const std::string& prefix = query.prefix.size() > below.size() ? query.prefix : below;
    Json json;
    if (prefix.starts_with(below) && prefix.starts_with(query.prefix)) {
      CARREL_CO_TRY(const store::NamePage page,
                    co_await transaction.read_names(tenant::kTenants, prefix, query.after,
                                                    query.limit - entries.size()));
      for (const auto& entry : page.entries) {
        CARREL_CO_TRY(const auto found,
                      co_await tenant::find(&transaction, TenantName(entry.name)));
        if (found) entries.push_back(describe(*found));
      }
      if (!page.end && !entries.empty())
        json["next"] = percent_encode(entries.back()["name"].get<std::string>());
    }
    json["tenants"] = std::move(entries);
    answer = json_answer(json);
    co_return Result<void>();
  }
  PageQuery query;
};

Task<Result<Answer>> list(Call* call) {
  List step(call);
  CARREL_CO_TRY(step.query, read_page_query(call->request().query));
  co_return co_await commit_answering(call, tenant::kNode, {}, &step);
}

struct Update final : AnsweringStep {
  using AnsweringStep::AnsweringStep;
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY(Tenant found, co_await tenant::require(&transaction, call->tenant));
    CARREL_CO_TRY_VOID(check_if_match(call->request(), etag_of(found)));
    const Json before = to_json(found);
    CARREL_CO_TRY_VOID(tenant::merge(quotas, found.quotas));
    CARREL_CO_TRY_VOID(tenant::keep(transaction, found));
    CARREL_CO_TRY_VOID(record(transaction, *call, found.name, {"", before, to_json(found)}));
    answer = answer_of(found);
    co_return Result<void>();
  }
  Json quotas;
};

Task<Result<Answer>> update(Call* call) {
  CARREL_CO_TRY(const Body body, co_await read_object(call));
  const Json& json = body.json;
  if (json.size() != 1 || !json.contains("quotas"))
    co_return fail(Code::invalid_argument, R"(what can be updated is quotas: send {"quotas": {}})");
  CARREL_CO_TRY_VOID(check_weight(*call, json["quotas"]));
  Update step(call);
  step.quotas = json["quotas"];
  Enforcement enforcement(call, call->tenant);
  CARREL_CO_TRY(Answer answer, co_await commit_answering(call, tenant::kNode, {}, &step));
  CARREL_CO_TRY_VOID(co_await enforcement.done());
  co_return answer;
}

// Removed apps do not count: their time comes by itself.
Task<Result<void>> check_no_app(store::Transaction* transaction) {
  std::string after;
  for (;;) {
    CARREL_CO_TRY(const store::NamePage page,
                  co_await transaction->read_names(deployment::kApps, "", after, kMostListed));
    for (const auto& entry : page.entries) {
      CARREL_CO_TRY(const auto app,
                    co_await deployment::find_app(transaction, AppName(entry.name)));
      if (app && !app->removed)
        co_return fail(Code::in_use,
                       fmt::format("the tenant has an app, {}; remove it first", entry.name));
      after = entry.name;
    }
    if (page.end || page.entries.empty()) co_return Result<void>();
  }
}

Task<Result<void>> check_no_binding(store::Transaction* transaction) {
  CARREL_CO_TRY(const store::NamePage page,
                co_await transaction->read_names(hook::kBindings, "", "", 1));
  if (page.entries.empty()) co_return Result<void>();
  co_return fail(Code::in_use, fmt::format("the tenant has a binding, {}; remove it first",
                                           page.entries.front().name));
}

struct Removal final : AnsweringStep {
  using AnsweringStep::AnsweringStep;
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY(Tenant found, co_await tenant::require(&transaction, call->tenant));
    CARREL_CO_TRY_VOID(check_if_match(call->request(), etag_of(found)));
    const auto info = call->node.info();
    const auto app = std::ranges::find(info->apps, call->tenant.str(), &AppInfo::tenant);
    if (app != info->apps.end())
      co_return fail(Code::in_use,
                     fmt::format("the tenant has an app, {}; remove it first", app->name));
    CARREL_CO_TRY_VOID(co_await check_no_app(&transaction));
    CARREL_CO_TRY_VOID(co_await check_no_binding(&transaction));
    CARREL_CO_TRY(const bool children, co_await tenant::has_children(&transaction, call->tenant));
    if (children) co_return fail(Code::in_use, "there are tenants below it; remove them first");
    const Json before = to_json(found);
    found.removed = call->clock.wall() + kGrace;
    CARREL_CO_TRY_VOID(tenant::keep(transaction, found));
    CARREL_CO_TRY_VOID(record(transaction, *call, found.name, {"", before, to_json(found)}));
    answer = answer_of(found);
    co_return Result<void>();
  }
};

Task<Result<Answer>> remove(Call* call) {
  Removal step(call);
  co_return co_await commit_answering(call, call->tenant, {}, &step);
}

struct Restoration final : AnsweringStep {
  using AnsweringStep::AnsweringStep;
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY(auto found, co_await tenant::find(&transaction, call->tenant));
    if (!found || !found->removed)
      co_return fail(Code::not_found, "there is no removed tenant of that name");
    if (*found->removed <= call->clock.wall())
      co_return fail(Code::not_found, "its grace period is over: what it kept goes");
    CARREL_CO_TRY_VOID(check_if_match(call->request(), etag_of(*found)));
    const Json before = to_json(*found);
    found->removed = {};
    CARREL_CO_TRY_VOID(tenant::keep(transaction, *found));
    CARREL_CO_TRY_VOID(record(transaction, *call, found->name, {"", before, to_json(*found)}));
    answer = answer_of(*found);
    co_return Result<void>();
  }
};

Task<Result<Answer>> restore(Call* call) {
  Restoration step(call);
  co_return co_await commit_answering(call, tenant::kNode, {}, &step);
}

}  // namespace

std::span<const Operation> tenant_operations() {
  static constexpr auto kOperations = std::to_array<Operation>({
      {"tenants", "GET", "/v1/tenants", list},
      {"createTenant", "POST", "/v1/tenants", create},
      {"tenant", "GET", "/v1/tenants/{tenant}", show},
      {"updateTenant", "PATCH", "/v1/tenants/{tenant}", update},
      {"removeTenant", "DELETE", "/v1/tenants/{tenant}", remove},
      {"restoreTenant", "POST", "/v1/tenants/{tenant}:restore", restore},
  });
  return kOperations;
}

}  // namespace carrel::api
