#include "server/switchboard.h"

#include <algorithm>
#include <atomic>

#include "async/event.h"
#include "server/deployed_apps.h"
#include "tenant/path.h"

namespace carrel::server {

void Switchboard::attach(ShardUnit& shard) {
  const std::lock_guard lock(mutex_);
  shards_.push_back(&shard);
  shard.use(std::make_shared<const function::Sites>(sites_),
            std::make_shared<const hook::Apps>(points_), {});
}

void Switchboard::set_folders(std::vector<std::shared_ptr<const function::Site>> sites,
                              std::vector<std::shared_ptr<const hook::App>> points) {
  const std::lock_guard lock(mutex_);
  sites_.all = std::move(sites);
  points_.all = std::move(points);
  binder_.follow_all(points_);
  publish({});
}

void Switchboard::lead(const std::string& name, const Entrance& to) {
  if (to.sites != nullptr) {
    sites_.deployed.set(name, to.sites);
  } else {
    sites_.deployed.remove(name);
  }
  if (to.points != nullptr && to.points->has_any()) {
    points_.hosts.set(name, to.points);
  } else {
    points_.hosts.remove(name);
  }
}

bool Switchboard::set_app(const deployment::Scope& scope, std::uint64_t revision,
                          AppEntrances entrances, const Done& done) {
  const std::lock_guard lock(mutex_);
  Served& served = apps_[scope];
  if (served.revision > revision) return false;
  served.revision = revision;
  for (const std::string& host : served.hosts) lead(host, {});
  served.hosts.clear();
  served.live = std::move(entrances.live);
  if (served.info != nullptr) --apps_deployed_;
  served.info = nullptr;
  if (served.live.sites != nullptr) {
    served.hosts = std::move(entrances.hosts);
    served.info = std::move(entrances.info);
  }
  served.live_hosts = served.hosts.size();
  if (served.info != nullptr) ++apps_deployed_;
  for (const std::string& host : served.hosts) lead(host, served.live);
  for (const std::string& name : served.names) lead(name, served.live);
  for (auto& [host, entrance] : entrances.previews) {
    lead(host, entrance);
    served.hosts.push_back(std::move(host));
  }
  const std::string key = hook::app_key(scope.tenant, scope.app);
  points_.live.remove(key);
  if (served.live.points != nullptr) points_.live.set(key, served.live.points);
  binder_.follow(scope.tenant, scope.app, points_);
  publish(done);
  return true;
}

bool Switchboard::set_name(const std::string& name, store::Version as_of,
                           const std::optional<deployment::Scope>& scope, const Done& done) {
  const std::lock_guard lock(mutex_);
  Name& known = names_[name];
  if (known.as_of > as_of) return false;
  if (known.scope) apps_[*known.scope].names.erase(name);
  known = {.as_of = as_of, .scope = scope};
  if (scope) apps_[*scope].names.insert(name);
  lead(name, scope ? apps_[*scope].live : Entrance{});
  publish(done);
  return true;
}

std::vector<std::string> Switchboard::names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, known] : names_) {
    if (known.scope) names.push_back(name);
  }
  return names;
}

void Switchboard::set_bindings(std::vector<StoredBinding> bindings) {
  const std::lock_guard lock(mutex_);
  for (StoredBinding& each : bindings) {
    const std::uint64_t revision = each.record.revision;
    binder_.set({each.tenant, each.name}, revision, std::move(each.record), points_);
  }
  publish({});
}

async::Task<void> Switchboard::bind(async::Shard& shard, TenantName tenant, std::string name,
                                    std::uint64_t revision,
                                    std::optional<hook::BindingRecord> record) {
  const auto done = std::make_shared<async::Event>();
  {
    const std::lock_guard lock(mutex_);
    binder_.set({std::move(tenant), std::move(name)}, revision, std::move(record), points_);
    publish([done, &shard] { shard.submit([done] { done->signal(); }); });
  }
  co_await *done;
}

Result<api::Understudy> Switchboard::understudy(const TenantName& tenant, const std::string& name,
                                                const hook::BindingRecord& record,
                                                const deployment::Ready* version) const {
  const std::lock_guard lock(mutex_);
  return Binder::understudy({tenant, name}, record,
                            version == nullptr ? nullptr : &points_in(*version), points_);
}

std::uint64_t Switchboard::newest(const TenantName& tenant, const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return binder_.newest({tenant, name});
}

hook::Privacy Switchboard::privacy(const hook::BindingRecord& record) const {
  const std::lock_guard lock(mutex_);
  return Binder::privacy(record, points_);
}

api::BindingState Switchboard::state(const TenantName& tenant, const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return binder_.state({tenant, name});
}

api::BindingState Switchboard::state_of(const TenantName& tenant, const std::string& name,
                                        const hook::BindingRecord& record) const {
  const std::lock_guard lock(mutex_);
  return binder_.state_of({tenant, name}, record, points_);
}

std::size_t Switchboard::apps_deployed() const {
  const std::lock_guard lock(mutex_);
  return apps_deployed_;
}

std::vector<api::AppInfo> Switchboard::deployed_in(const TenantName& subtree,
                                                   const api::AppKey& after,
                                                   std::size_t most) const {
  std::vector<api::AppInfo> found;
  // No app has no name: nothing of the subtree is the first itself.
  const deployment::Scope first = std::max(deployment::Scope{.tenant = subtree, .app = AppName()},
                                           {.tenant = after.first, .app = after.second});
  const std::lock_guard lock(mutex_);
  auto each = apps_.upper_bound(first);
  for (; each != apps_.end() && found.size() < most; ++each) {
    const auto& [scope, served] = *each;
    if (!scope.tenant.str().starts_with(subtree.str())) break;
    if (served.info == nullptr || !tenant::contains(subtree, scope.tenant)) continue;
    api::AppInfo info = *served.info;
    info.hosts.assign(served.hosts.begin(),
                      served.hosts.begin() + static_cast<std::ptrdiff_t>(served.live_hosts));
    info.hosts.insert(info.hosts.end(), served.names.begin(), served.names.end());
    info.deployed = true;
    found.push_back(std::move(info));
  }
  return found;
}

std::optional<std::uint64_t> Switchboard::storage_of(const TenantName& tenant) const {
  std::optional<std::uint64_t> most;
  const std::lock_guard lock(mutex_);
  for (auto each = apps_.lower_bound({.tenant = tenant, .app = AppName()});
       each != apps_.end() && each->first.tenant == tenant; ++each) {
    if (each->second.info != nullptr) most = std::max(most.value_or(0), each->second.info->storage);
  }
  return most;
}

void Switchboard::forget(const deployment::Scope& scope) {
  const std::lock_guard lock(mutex_);
  const auto found = apps_.find(scope);
  if (found != apps_.end() && found->second.hosts.empty() && found->second.names.empty())
    apps_.erase(found);
}

// While locked, so that every shard gets the changes in the same order.
void Switchboard::publish(const Done& done) {
  const auto sites = std::make_shared<const function::Sites>(sites_);
  const auto points = std::make_shared<const hook::Apps>(points_);
  const auto left = std::make_shared<std::atomic<std::size_t>>(shards_.size());
  if (shards_.empty() && done) done();
  for (ShardUnit* shard : shards_) {
    shard->use(sites, points, [left, done] {
      if (left->fetch_sub(1) == 1 && done) done();
    });
  }
}

}  // namespace carrel::server
