#include "server/switchboard.h"

#include <atomic>

#include "async/event.h"
#include "server/deployed_apps.h"

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
  if (served.live.sites != nullptr) served.hosts = std::move(entrances.hosts);
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
