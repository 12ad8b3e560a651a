#include "server/removed_tenants.h"

#include <utility>

#include "patterns/hook/lane.h"
#include "patterns/hook/leftovers.h"
#include "tenant/erasure.h"
#include "turn/step.h"

namespace carrel::server {

using async::Task;

namespace {

// Deliveries first: they lie with the node, and only the tenant's name leads to them. That it is to
// go is read in each step: who restores it meanwhile wins.
struct Erasure final : turn::Step {
  Task<Result<void>> run(store::Transaction& transaction) override {
    deliveries = {};
    gone = false;
    erased = tenant::Erased::all;
    CARREL_CO_TRY(const bool goes, co_await tenant::is_overdue(&transaction, name, now));
    if (!goes) co_return Result<void>();
    erased = tenant::Erased::some;
    CARREL_CO_TRY(deliveries,
                  co_await hook::erase_leftovers(&transaction, store, hook::lanes_of(name)));
    if (deliveries.records > 0) co_return Result<void>();
    CARREL_CO_TRY(erased, co_await tenant::erase_step(&transaction, store, name, now));
    gone = erased == tenant::Erased::all;
    co_return Result<void>();
  }
  store::ShardStore* store = nullptr;
  TenantName name;
  WallTime now;
  delivery::ErasedItems deliveries;
  tenant::Erased erased = tenant::Erased::some;
  bool gone = false;
};

}  // namespace

Task<Result<void>> erase_tenants(turn::Services services, delivery::Ring* ring,
                                 std::vector<TenantName> names, WallTime now) {
  constexpr std::chrono::milliseconds kBreath{5};  // between two steps, for everybody else
  for (const TenantName& name : names) {
    Erasure step;
    step.store = services.store;
    step.name = name;
    step.now = now;
    for (;;) {
      CARREL_CO_TRY_VOID(co_await turn::commit(services, name, {}, &step));
      ring->forget(step.deliveries);
      if (step.gone) services.store->store().limit_storage(name, {});
      if (step.erased == tenant::Erased::all) break;
      co_await services.store->shard().sleep_for(kBreath);
    }
  }
  co_return Result<void>();
}

// One that cannot be erased keeps no other.
Task<Result<void>> RemovedTenants::erase_overdue() {
  const WallTime now = clock_.wall();
  CARREL_CO_TRY(const auto overdue, co_await tenant::overdue(services_.store, now));
  for (const TenantName& name : overdue.damaged) {
    if (said_.insert(name).second)
      events_.write(observe::Level::error, "tenant_damaged", {{"tenant", name.str()}});
  }
  for (const TenantName& name : overdue.names) {
    const auto done = co_await erase_tenants(services_, &ring_, {name}, now);
    if (done) {
      events_.write(observe::Level::info, "tenant_erased", {{"tenant", name.str()}});
    } else {
      events_.write(observe::Level::error, "tenant_not_erased",
                    {{"tenant", name.str()},
                     {"code", code_name(done.error().code())},
                     {"message", done.error().message()}});
    }
  }
  co_return Result<void>();
}

Task<void> RemovedTenants::look() {
  if (std::exchange(looking_, true)) co_return;
  const auto done = co_await erase_overdue();
  looking_ = false;
  if (done) co_return;
  events_.write(observe::Level::error, "tenants_not_erased",
                {{"code", code_name(done.error().code())}, {"message", done.error().message()}});
}

}  // namespace carrel::server
