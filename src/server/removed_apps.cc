#include "server/removed_apps.h"

#include "app/deployment/desk.h"
#include "patterns/hook/event_record.h"
#include "patterns/hook/lane.h"
#include "patterns/hook/leftovers.h"
#include "turn/step.h"

namespace carrel::server {
namespace {

using async::Task;

constexpr std::chrono::milliseconds kBreath{5};  // between two steps, for everybody else

// That it is to go is read in each step: who restores it meanwhile wins.
struct Erasure final : turn::Step {
  Task<Result<void>> run(store::Transaction& transaction) override {
    erased = {};
    over = true;
    CARREL_CO_TRY(const auto app, co_await deployment::find_app(&transaction, scope.app));
    if (app && (!app->removed || *app->removed > now)) co_return Result<void>();
    if (!app) {  // it went with its tenant
      forget();
      co_return Result<void>();
    }
    over = false;
    CARREL_CO_TRY(erased, co_await hook::erase_leftovers(&transaction, store,
                                                         hook::lanes_of(scope.tenant, scope.app)));
    if (erased.records > 0) co_return Result<void>();
    CARREL_CO_TRY(const std::size_t events, co_await hook::erase_events(&transaction, scope.app));
    if (events > 0) co_return Result<void>();
    over = true;
    forget();  // before: whoever makes it anew is not to be taken for older than this one
    co_return co_await deployment::erase_app(&transaction, scope.app);
  }
  store::ShardStore* store = nullptr;
  deployment::Scope scope;
  WallTime now;
  std::function<void()> forget;
  delivery::ErasedItems erased;
  bool over = false;
};

}  // namespace

Task<Result<void>> erase_removed(turn::Services services, delivery::Ring* ring,
                                 deployment::Scope scope, WallTime now,
                                 std::function<void()> forget) {
  Erasure step;
  step.store = services.store;
  step.scope = std::move(scope);
  step.now = now;
  step.forget = std::move(forget);
  for (;;) {
    CARREL_CO_TRY_VOID(co_await turn::commit(services, step.scope.tenant, {}, &step));
    ring->forget(step.erased);
    if (step.over) co_return Result<void>();
    co_await services.store->shard().sleep_for(kBreath);
  }
}

}  // namespace carrel::server
