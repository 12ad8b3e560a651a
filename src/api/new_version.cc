#include "api/new_version.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/audit.h"
#include "api/fetches.h"
#include "api/step.h"
#include "app/deployment/desk.h"
#include "app/deployment/fetched.h"
#include "app/deployment/stage.h"
#include "app/deployment/unpack.h"
#include "async/first_of.h"
#include "tenant/tenant.h"

namespace carrel::api {
namespace {

using async::Task;
using deployment::Scope;
using Json = nlohmann::json;

struct Adding final : Step {
  Adding(const NewVersion& a, tenant::AuditEntry e) : asked(a), entry(std::move(e)) {}
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY_VOID(co_await tenant::require(&transaction, asked.scope.tenant));
    CARREL_CO_TRY(addition,
                  co_await deployment::add_version(&transaction, asked.scope.app, asked.version));
    if (!addition.made) co_return Result<void>();
    entry.after = describe(addition.added, addition.app).dump();
    co_return tenant::record(transaction, entry);
  }
  const NewVersion& asked;
  tenant::AuditEntry entry;
  deployment::Addition addition;
};

// Whether it may be made at all, before anything is compiled for it.
struct Permitting final : Step {
  explicit Permitting(const Scope& s) : scope(s) {}
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY_VOID(co_await tenant::require(&transaction, scope.tenant));
    CARREL_CO_TRY(const auto app, co_await deployment::find_app(&transaction, scope.app));
    if (app && app->removed)
      co_return fail(Code::in_use,
                     "a removed app has this name until its data is gone; restore it, or wait");
    co_return Result<void>();
  }
  const Scope& scope;
};

constexpr std::chrono::minutes kLongestFetch{5};      // for all modules of a version
constexpr std::chrono::milliseconds kLookEvery{200};  // for a server that is to stop

class MakeJob final : public Work::Job {
 public:
  MakeJob(const Call& call, NewVersion asked)
      : services_(call.services),
        stage_(*call.stage),
        fetches_(call.fetches),
        node_(call.node),
        asked_(std::move(asked)),
        entry_(audit_entry(call, asked_.scope.tenant,
                           fmt::format("apps/{}/versions", asked_.scope.app.str()))) {}

  Task<Result<Answer>> run() override {
    Permitting permitting(asked_.scope);
    CARREL_CO_TRY_VOID(co_await commit(services_, asked_.scope.tenant, {}, &permitting));
    pin_parts();
    const auto missing = co_await find_missing();
    if (!missing.empty()) co_return answer_missing(missing);
    CARREL_CO_TRY_VOID(co_await fetch());
    CARREL_CO_TRY(const auto ready, co_await stage_.prepare(services_.store->shard(), asked_.scope,
                                                            asked_.version.bundle));
    Adding adding(asked_, entry_);
    CARREL_CO_TRY_VOID(co_await commit(services_, asked_.scope.tenant, {}, &adding));
    Json json = describe(adding.addition.added, adding.addition.app);
    json["routes"] = ready->routes();
    json["notices"] = ready->notices();
    Answer answer = json_answer(json);
    if (adding.addition.made) answer.head.status = 201;
    co_return answer;
  }

 private:
  // Until the commit: a part that nothing uses yet may go at any time.
  void pin_parts() {
    auto& parts = services_.store->store().parts();
    for (const auto& part : deployment::parts_of(asked_.version.bundle))
      pins_.push_back(parts.pin(asked_.scope.tenant, part.hash));
  }

  // No longer than a server that stops, or a patient client, waits for it.
  Task<Result<void>> fetch() {
    CARREL_CO_TRY(const auto turn, fetches_.begin(asked_.scope.tenant));
    Result<void> done;
    co_await async::first_of(fetch_into(&done), give_up(&done));
    co_return done;
  }

  Task<void> fetch_into(Result<void>* done) {
    *done = co_await deployment::fetch_modules(services_.store, fetches_.source,
                                               &asked_.scope.tenant, &asked_.version, &pins_);
  }

  Task<void> give_up(Result<void>* done) const {
    const Instant end = system_clock().now() + kLongestFetch;
    while (system_clock().now() < end) {
      co_await services_.store->shard().sleep_for(kLookEvery);
      if (node_.readiness() != Readiness::draining) continue;
      *done = fail(Code::shutting_down);
      co_return;
    }
    *done = fail(Code::invalid_config,
                 "its modules take more than five minutes to come from their registries");
  }

  Task<std::vector<store::PartHash>> find_missing() {
    struct Search {
      TenantName tenant;
      deployment::Bundle bundle;
      std::vector<store::PartHash> missing;
    };
    auto& store = services_.store->store();
    auto search = std::make_shared<Search>(asked_.scope.tenant, asked_.version.bundle);
    co_await store.io().run(services_.store->shard(), [search, &parts = store.parts()] {
      search->missing = deployment::missing_parts(parts, search->tenant, search->bundle);
    });
    co_return std::move(search->missing);
  }

  Answer answer_missing(const std::vector<store::PartHash>& missing) const {
    Answer answer = problem(Error(Code::parts_missing), entry_.id);
    Json json = Json::parse(answer.body, nullptr, false);
    for (const auto& hash : missing) json["missing"].push_back(deployment::hash_text(hash));
    answer.body = json.dump();
    return answer;
  }

  const turn::Services services_;
  deployment::Stage& stage_;
  Fetches& fetches_;
  const Node& node_;
  NewVersion asked_;
  const tenant::AuditEntry entry_;
  std::vector<store::Parts::Pin> pins_;
};

}  // namespace

Task<Result<Answer>> make_version(Call* call, NewVersion asked) {
  CARREL_CO_TRY_VOID(call->stage->check_free(asked.scope));
  if (call->node.readiness() == Readiness::draining) co_return fail(Code::shutting_down);
  co_return co_await call->work.see_through(std::make_shared<MakeJob>(*call, std::move(asked)));
}

Json describe(const deployment::Version& version, const deployment::AppRecord& app) {
  unsigned percent = 0;
  for (const auto& share : app.live) {
    if (share.version == version.number) percent = share.percent;
  }
  Json json = {{"version", version.number},
               {"digest", version.bundle.digest()},
               {"created", time_text(version.created)},
               {"by", version.by},
               {"message", version.message},
               {"count", version.bundle.files.size()},
               {"bytes", version.bundle.bytes()},
               {"percent", percent},
               {"preview", std::ranges::find(app.previews, version.number) != app.previews.end()}};
  if (!version.sources.empty()) json["sources"] = version.sources;
  return json;
}

}  // namespace carrel::api
