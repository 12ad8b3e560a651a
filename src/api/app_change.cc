#include "api/app_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/audit.h"
#include "api/etag.h"
#include "api/step.h"
#include "app/deployment/desk.h"
#include "app/hosts/desk.h"
#include "app/units.h"
#include "base/percent.h"
#include "tenant/tenant.h"

namespace carrel::api {
namespace {

using async::Task;
using deployment::AppRecord;
using deployment::ReadyVersion;
using deployment::Scope;
using Json = nlohmann::json;

enum class Keep : std::uint8_t { no, yes };

// Reads the app, changes it, and finds the versions that it then serves.
struct Plan final : Step {
  Plan(const AppChange& c, const std::optional<std::string>& match, tenant::AuditEntry e)
      : change(c), if_match(match), entry(std::move(e)) {}

  Task<Result<void>> run(store::Transaction& transaction) override {
    versions.clear();
    CARREL_CO_TRY_VOID(co_await require_tenant(&transaction, change.scope.tenant));
    CARREL_CO_TRY(auto found, co_await deployment::find_app(&transaction, change.scope.app));
    if (!found || found->removed.has_value() != change.removed)
      co_return fail(Code::not_found,
                     fmt::format("there is no {}app {} here", change.removed ? "removed " : "",
                                 change.scope.app.str()));
    app = std::move(*found);
    CARREL_CO_TRY_VOID(check_match());
    entry.before = encode(app);
    CARREL_CO_TRY_VOID(change.edit(app));
    if (!app.removed) CARREL_CO_TRY_VOID(co_await find_versions(&transaction));
    if (keep == Keep::no) co_return Result<void>();
    if (app.removed) {
      CARREL_CO_TRY(given_up, co_await hosts::give_up_all(&transaction, change.scope));
    }
    CARREL_CO_TRY_VOID(deployment::keep_app(transaction, change.scope.app, app));
    entry.after = encode(app);
    co_return tenant::record(transaction, entry);
  }

  static Task<Result<void>> require_tenant(store::Transaction* transaction, TenantName name) {
    CARREL_CO_TRY_VOID(co_await tenant::require(transaction, std::move(name)));
    co_return Result<void>();
  }

  Result<void> check_match() const {
    net::Request request;
    if (if_match) request.headers.push_back({"if-match", *if_match});
    return check_if_match(request, etag_of(encode(app)));
  }

  Task<Result<void>> find_versions(store::Transaction* transaction) {
    std::vector<std::uint64_t> numbers = app.previews;
    for (const auto& share : app.live) numbers.push_back(share.version);
    for (const std::uint64_t number : numbers) {
      CARREL_CO_TRY(auto version,
                    co_await deployment::require_version(transaction, change.scope.app, number));
      versions.push_back(std::move(version));
    }
    co_return Result<void>();
  }

  const AppChange& change;
  const std::optional<std::string>& if_match;
  tenant::AuditEntry entry;
  Keep keep = Keep::no;
  AppRecord app;
  std::vector<deployment::Version> versions;
  std::vector<std::string> given_up;  // host names that were the app's
};

class ChangeJob final : public Work::Job {
 public:
  ChangeJob(const Call& call, AppChange change)
      : services_(call.services),
        stage_(*call.stage),
        hosts_(call.hosts),
        change_(std::move(change)),
        entry_(audit_entry(call, change_.scope.tenant, "apps/" + change_.scope.app.str())) {
    const auto text = call.request().header("if-match");
    if (!text.empty()) if_match_ = text;
  }

  Task<Result<Answer>> run() override {
    Plan plan(change_, if_match_, entry_);
    CARREL_CO_TRY_VOID(co_await commit(services_, change_.scope.tenant, {}, &plan));
    CARREL_CO_TRY(auto ready, co_await prepare(&plan));
    plan.keep = Keep::yes;
    CARREL_CO_TRY_VOID(co_await commit(services_, change_.scope.tenant, {}, &plan));
    // Usually the same that are ready by now; others if the app was changed meanwhile.
    auto final = co_await prepare(&plan);
    if (final) ready = std::move(*final);
    co_await stage_.serve(services_.store->shard(), change_.scope, plan.app, std::move(ready));
    for (const std::string& host : plan.given_up) {
      if (hosts_ != nullptr) CARREL_CO_TRY_VOID(co_await hosts_->serve(host));
    }
    co_return answer_of(change_.scope, plan.app, stage_);
  }

 private:
  static bool is_live(const AppRecord& app, std::uint64_t version) {
    const auto found = std::ranges::find(app.live, version, &deployment::Share::version);
    return found != app.live.end();
  }

  // A preview that cannot be made ready any more stops nobody from going live.
  Task<Result<std::vector<ReadyVersion>>> prepare(Plan* plan) {
    std::vector<ReadyVersion> all;
    for (const auto& version : plan->versions) {
      auto ready = co_await stage_.prepare(services_.store->shard(), change_.scope, version.bundle);
      if (ready) {
        all.push_back({.number = version.number, .ready = std::move(*ready)});
      } else if (is_live(plan->app, version.number)) {
        co_return std::unexpected(
            std::move(ready).error().within(fmt::format("version {}", version.number)));
      }
    }
    co_return all;
  }

  const turn::Services services_;
  deployment::Stage& stage_;
  hosts::Desk* const hosts_;
  const AppChange change_;
  const tenant::AuditEntry entry_;
  std::optional<std::string> if_match_;
};

}  // namespace

Result<Scope> scope_of(const Call& call) {
  if (call.stage == nullptr) return fail(Code::unavailable, "nothing can be deployed here");
  CARREL_TRY(std::string name, call.text("app"));
  if (!app::is_name(name) || name.contains("--")) {
    return fail(Code::invalid_argument,
                fmt::format("a deployed app's name is {}, without \"--\"", app::kNameRule));
  }
  return Scope{.tenant = call.tenant, .app = AppName(std::move(name))};
}

Result<std::uint64_t> version_of(const Call& call) {
  const std::string_view text = call.raw("version");
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= 1 &&
      number <= INT64_MAX) {
    return number;
  }
  return fail(Code::not_found, "a version is named by its number: 1, 2, ...");
}

Task<Result<Answer>> change_app(Call* call, AppChange change) {
  CARREL_CO_TRY_VOID(call->stage->check_free(change.scope));
  if (call->node.readiness() == Readiness::draining) co_return fail(Code::shutting_down);
  co_return co_await call->work.see_through(std::make_shared<ChangeJob>(*call, std::move(change)));
}

Json describe(const Scope& scope, const AppRecord& app, const deployment::Stage& stage) {
  Json live = Json::array();
  for (const auto& share : app.live)
    live.push_back({{"version", share.version}, {"percent", share.percent}});
  Json previews = Json::array();
  for (const std::uint64_t version : app.previews) {
    previews.push_back({{"version", version}, {"host", stage.preview_host(scope, version)}});
  }
  Json json = {
      {"name", scope.app.str()}, {"tenant", scope.tenant.str()}, {"live", live},
      {"previews", previews},    {"before", app.before},         {"hosts", stage.hosts(scope)}};
  if (app.removed) json["removed"] = time_text(*app.removed);
  return json;
}

Answer answer_of(const Scope& scope, const AppRecord& app, const deployment::Stage& stage) {
  Answer answer = json_answer(describe(scope, app, stage));
  answer.head.headers.emplace_back("etag", etag_of(encode(app)));
  return answer;
}

}  // namespace carrel::api
