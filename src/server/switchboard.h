// The switchboard: what every shard serves, changed as a whole.
//
// Folders' sites, deployed apps, the host names of tenants' own and customers' bindings are set by
// different threads; each change is one table that all shards get in the same order. Requests in
// progress keep the table they began with.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/binding_stage.h"
#include "api/node.h"
#include "app/deployment/records.h"
#include "patterns/function/site.h"
#include "server/binder.h"
#include "server/shard_unit.h"
#include "store/version.h"

namespace carrel::server {

// What a host name leads to: the versions that share its requests, and their points.
struct Entrance {
  std::shared_ptr<const function::Shares> sites;  // null, as the points: nobody answers
  std::shared_ptr<const hook::AppShares> points;
};

// What leads to an app.
struct AppEntrances {
  Entrance live;
  std::vector<std::string> hosts;  // that lead to what is live
  std::vector<std::pair<std::string, Entrance>> previews;
  std::shared_ptr<const api::AppInfo> info;  // of the version with the most requests
};

// A customer's binding as the store has it.
struct StoredBinding {
  TenantName tenant;
  std::string name;
  hook::BindingRecord record;
};

// Owner: the composition root; the shards outlive its use. Thread-safe.
class Switchboard final : public api::BindingStage, public api::DeployedIndex {
 public:
  // Called by the last shard that has taken a change over, on its thread.
  using Done = std::function<void()>;

  // Before shards start: they get every change from now on, and what there is at once.
  void attach(ShardUnit& shard);

  void set_folders(std::vector<std::shared_ptr<const function::Site>> sites,
                   std::vector<std::shared_ptr<const hook::App>> points);

  // What leads to the app, in place of what did. False: a later revision is served already; `done`
  // is not called.
  bool set_app(const deployment::Scope& scope, std::uint64_t revision, AppEntrances entrances,
               const Done& done);

  // A host name of a tenant's own leads to what is live of the app, whatever that is by then;
  // nothing: to nobody. False: a later version of the store said otherwise already.
  bool set_name(const std::string& name, store::Version as_of,
                const std::optional<deployment::Scope>& scope, const Done& done);

  // All host names of tenants' own that lead to an app.
  std::vector<std::string> names() const;

  // At the start: what customers have bound, before anything is called.
  void set_bindings(std::vector<StoredBinding> bindings);

  async::Task<void> bind(async::Shard& shard, TenantName tenant, std::string name,
                         std::uint64_t revision,
                         std::optional<hook::BindingRecord> record) override;
  Result<api::Understudy> understudy(const TenantName& tenant, const std::string& name,
                                     const hook::BindingRecord& record,
                                     const deployment::Ready* version) const override;
  std::uint64_t newest(const TenantName& tenant, const std::string& name) const override;
  hook::Privacy privacy(const hook::BindingRecord& record) const override;
  api::BindingState state(const TenantName& tenant, const std::string& name) const override;
  api::BindingState state_of(const TenantName& tenant, const std::string& name,
                             const hook::BindingRecord& record) const override;

  std::size_t apps_deployed() const override;
  std::vector<api::AppInfo> deployed_in(const TenantName& subtree, const api::AppKey& after,
                                        std::size_t most) const override;
  std::optional<std::uint64_t> storage_of(const TenantName& tenant) const override;

  // A removed app's data goes: another one may get its name, and begins at the first revision.
  void forget(const deployment::Scope& scope);

 private:
  struct Served {
    std::uint64_t revision = 0;
    std::vector<std::string> hosts;  // first those that lead to what is live, then previews'
    std::size_t live_hosts = 0;
    Entrance live;
    std::shared_ptr<const api::AppInfo> info;  // null: nothing is live
    std::set<std::string> names;               // of the tenant's own
  };
  // Names that were given up stay known, so that nothing older brings them back.
  struct Name {
    store::Version as_of = store::kNoVersion;
    std::optional<deployment::Scope> scope;
  };
  void lead(const std::string& name, const Entrance& to);
  void publish(const Done& done);

  mutable std::mutex mutex_;
  std::vector<ShardUnit*> shards_;
  function::Sites sites_;
  hook::Apps points_;
  Binder binder_;
  std::map<deployment::Scope, Served> apps_;
  std::size_t apps_deployed_ = 0;  // that have something live
  std::map<std::string, Name> names_;
};

}  // namespace carrel::server
