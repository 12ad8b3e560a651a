#include "server/tenants.h"

#include "api/step.h"
#include "tenant/enforce.h"
#include "tenant/path.h"
#include "tenant/tenant.h"

namespace carrel::server {
namespace {

using async::Task;

struct Creation final : api::Step {
  Creation(const std::vector<TenantName>& n, WallTime t) : names(n), now(t) {}
  Task<Result<void>> run(store::Transaction& transaction) override {
    for (const TenantName& name : names) {
      CARREL_CO_TRY(auto found, co_await tenant::find(&transaction, name));
      if (found && !found->removed) continue;
      if (!found) found = tenant::Tenant{.name = name, .created = now};
      found->removed = {};
      CARREL_CO_TRY_VOID(tenant::keep(transaction, *found));
    }
    co_return Result<void>();
  }
  const std::vector<TenantName>& names;
  WallTime now;
};

}  // namespace

Task<Result<void>> enforce_quotas(turn::Services services) {
  constexpr std::size_t kPage = 1000;
  store::Store& store = services.store->store();
  std::string after;
  for (;;) {
    store::Transaction transaction(*services.store, tenant::kNode, {});
    CARREL_CO_TRY(const store::NamePage page,
                  co_await transaction.read_names(tenant::kTenants, "", after, kPage));
    for (const auto& entry : page.entries) {
      const auto found = co_await tenant::find(&transaction, TenantName(entry.name));
      if (!found && found.error().code() == Code::data_corrupt) continue;
      if (!found) co_return std::unexpected(found.error());
      if (*found) tenant::enforce(store, services.allowances, **found);
    }
    if (page.end || page.entries.empty()) co_return Result<void>();
    after = page.entries.back().name;
  }
}

Task<Result<void>> create_tenants(turn::Services services, std::vector<TenantName> names,
                                  WallTime now) {
  Creation step(names, now);
  auto done = co_await api::commit(services, tenant::kNode, {}, &step);
  if (done) co_return done;
  co_return std::unexpected(std::move(done).error().within("the tenants of apps"));
}

}  // namespace carrel::server
