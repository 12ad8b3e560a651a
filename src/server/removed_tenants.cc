#include "server/removed_tenants.h"

#include <utility>

#include "tenant/erasure.h"

namespace carrel::server {

using async::Task;

Task<Result<void>> erase_tenants(turn::Services services, std::vector<TenantName> names,
                                 WallTime now) {
  constexpr std::chrono::milliseconds kBreath{5};  // between two steps, for everybody else
  for (const TenantName& name : names) {
    for (;;) {
      CARREL_CO_TRY(const tenant::Erased erased,
                    co_await tenant::erase_step(services.store, name, now));
      if (erased == tenant::Erased::all) break;
      co_await services.store->shard().sleep_for(kBreath);
    }
  }
  co_return Result<void>();
}

Task<Result<void>> RemovedTenants::erase_overdue() {
  const WallTime now = clock_.wall();
  CARREL_CO_TRY(auto names, co_await tenant::overdue(services_.store, now));
  for (TenantName& name : names) {
    CARREL_CO_TRY_VOID(co_await erase_tenants(services_, {name}, now));
    events_.write(observe::Level::info, "tenant_erased", {{"tenant", name.str()}});
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
