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

bool Switchboard::set_app(const deployment::Scope& scope, std::uint64_t revision, HostShares hosts,
                          const Done& done) {
  const std::lock_guard lock(mutex_);
  Served& served = apps_[scope];
  if (served.revision > revision) return false;
  served.revision = revision;
  for (const std::string& host : served.hosts) sites_.deployed.remove(host);
  served.hosts.clear();
  for (auto& [host, shares] : hosts) {
    sites_.deployed.set(host, std::move(shares));
    served.hosts.push_back(std::move(host));
  }
  publish(done);
  return true;
}

void Switchboard::forget(const deployment::Scope& scope) {
  const std::lock_guard lock(mutex_);
  const auto found = apps_.find(scope);
  if (found != apps_.end() && found->second.hosts.empty()) apps_.erase(found);
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
