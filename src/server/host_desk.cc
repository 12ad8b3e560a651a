#include "server/host_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/hosts/name.h"
#include "async/event.h"
#include "tenant/path.h"

namespace carrel::server {
namespace {

using async::Task;

// Each is a question to the outside that a tenant causes.
constexpr unsigned kMostLooking = 32, kMostOfTenant = 2;

}  // namespace

// A proof that is being looked for, among those of its tenant.
class HostDesk::Place {
 public:
  static std::optional<Place> take(std::shared_ptr<Looking> looking, const TenantName& tenant) {
    if (looking->all >= kMostLooking || looking->of_tenant[tenant] >= kMostOfTenant) return {};
    return Place(std::move(looking), tenant);
  }
  Place(Place&&) = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  Place& operator=(Place&&) = delete;
  ~Place() {
    if (looking_ == nullptr) return;
    --looking_->all;
    if (--looking_->of_tenant[tenant_] == 0) looking_->of_tenant.erase(tenant_);
  }

 private:
  Place(std::shared_ptr<Looking> looking, TenantName tenant)
      : looking_(std::move(looking)), tenant_(std::move(tenant)) {
    ++looking_->all;
    ++looking_->of_tenant[tenant_];
  }
  std::shared_ptr<Looking> looking_;
  TenantName tenant_;
};

HostDesk::HostDesk(const NodeKey& key, const turn::Services& services, store::Store& store,
                   Switchboard& switchboard, HostDeskOptions options)
    : challenges_(key),
      services_(services),
      store_(store),
      switchboard_(switchboard),
      options_(std::move(options)),
      dns_(services.store->shard(), options_.dns) {}

Result<std::size_t> HostDesk::restore() {
  CARREL_TRY(const auto all, proven());
  for (const hosts::Proven& each : all.hosts) switchboard_.set_name(each.host, {}, each.scope, {});
  return all.damaged;
}

Result<void> HostDesk::check_free(std::string_view host) const {
  const bool reserved = std::ranges::any_of(options_.reserved, [host](const std::string& domain) {
    return hosts::is_within(host, domain);
  });
  if (reserved) return fail(Code::in_use, "the host name is one of the operator's own");
  return {};
}

Task<Result<void>> HostDesk::prove(TenantName tenant, std::string host) {
  auto place = Place::take(looking_, tenant);
  if (!place)
    co_return fail(Code::too_many_requests, "other host names are being checked; try again");
  hosts::Challenge challenge = challenges_.of(tenant, host);
  co_return co_await hosts::look_for_proof(&dns_, services_.client, std::move(tenant),
                                           std::move(challenge));
}

Task<Result<void>> HostDesk::serve(std::string host) {
  store::Transaction transaction(*services_.store, tenant::kNode, {});
  CARREL_CO_TRY(const auto scope, co_await hosts::who_has(&transaction, host));
  const auto done = std::make_shared<async::Event>();
  async::Shard& shard = services_.store->shard();
  const bool newest = switchboard_.set_name(host, transaction.seen(), scope, [done, &shard] {
    shard.submit([done] { done->signal(); });
  });
  if (newest) co_await *done;
  co_return Result<void>();
}

Result<hosts::AllProven> HostDesk::proven() const {
  CARREL_TRY(const auto snapshot, store_.snapshot());
  return hosts::read_proven(snapshot->view);
}

}  // namespace carrel::server
