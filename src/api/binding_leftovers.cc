#include "api/binding_leftovers.h"

#include "api/step.h"
#include "patterns/hook/binding_record.h"
#include "patterns/hook/leftovers.h"

namespace carrel::api {
namespace {

using async::Task;

// Whoever binds it meanwhile is met, and keeps what is theirs.
struct Clearing final : Step {
  Task<Result<void>> run(store::Transaction& transaction) override {
    erased = {};
    const auto found = co_await hook::find_binding(&transaction, tenant, name);
    if (!found) co_return std::unexpected(found.error());
    if (*found && hook::lane_of(**found, tenant, name) == lane) co_return Result<void>();
    CARREL_CO_TRY(erased, co_await hook::erase_leftovers_of(&transaction, store, lane));
    co_return Result<void>();
  }
  store::ShardStore* store = nullptr;
  TenantName tenant;
  std::string name, lane;
  delivery::ErasedItems erased;
};

}  // namespace

Task<Result<void>> clear_leftovers(turn::Services services, delivery::Ring* ring, TenantName tenant,
                                   std::string name, std::string lane) {
  Clearing step;
  step.store = services.store;
  step.tenant = std::move(tenant);
  step.name = std::move(name);
  step.lane = std::move(lane);
  do {
    CARREL_CO_TRY_VOID(co_await commit(services, step.tenant, {}, &step));
    ring->forget(step.erased);
  } while (step.erased.records > 0);
  co_return Result<void>();
}

}  // namespace carrel::api
