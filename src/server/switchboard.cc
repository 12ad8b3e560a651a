#include "server/switchboard.h"

#include <atomic>

namespace carrel::server {

void Switchboard::attach(ShardUnit& shard) {
  const std::lock_guard lock(mutex_);
  shards_.push_back(&shard);
  shard.use(std::make_shared<const function::Sites>(sites_), {});
}

void Switchboard::set_folders(std::vector<std::shared_ptr<const function::Site>> sites) {
  const std::lock_guard lock(mutex_);
  sites_.all = std::move(sites);
  publish({});
}

void Switchboard::lead(const std::string& name, const std::shared_ptr<const function::Shares>& to) {
  if (to != nullptr) {
    sites_.deployed.set(name, to);
  } else {
    sites_.deployed.remove(name);
  }
}

bool Switchboard::set_app(const deployment::Scope& scope, std::uint64_t revision, AppHosts hosts,
                          const Done& done) {
  const std::lock_guard lock(mutex_);
  Served& served = apps_[scope];
  if (served.revision > revision) return false;
  served.revision = revision;
  for (const std::string& host : served.hosts) sites_.deployed.remove(host);
  served.hosts.clear();
  served.live = std::move(hosts.live);
  if (served.live != nullptr) served.hosts = std::move(hosts.hosts);
  for (const std::string& host : served.hosts) lead(host, served.live);
  for (const std::string& name : served.names) lead(name, served.live);
  for (auto& [host, shares] : hosts.previews) {
    lead(host, shares);
    served.hosts.push_back(std::move(host));
  }
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
  lead(name, scope ? apps_[*scope].live : nullptr);
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

void Switchboard::forget(const deployment::Scope& scope) {
  const std::lock_guard lock(mutex_);
  const auto found = apps_.find(scope);
  if (found != apps_.end() && found->second.hosts.empty() && found->second.names.empty())
    apps_.erase(found);
}

// While locked, so that every shard gets the changes in the same order.
void Switchboard::publish(const Done& done) {
  const auto sites = std::make_shared<const function::Sites>(sites_);
  const auto left = std::make_shared<std::atomic<std::size_t>>(shards_.size());
  if (shards_.empty() && done) done();
  for (ShardUnit* shard : shards_) {
    shard->use(sites, [left, done] {
      if (left->fetch_sub(1) == 1 && done) done();
    });
  }
}

}  // namespace carrel::server
