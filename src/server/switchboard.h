// The switchboard: what every shard serves, changed as a whole.
//
// Folders' sites and deployed apps are set by different threads; each change is one immutable table
// that all shards get in the same order. Requests in progress keep the table they began with.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "app/deployment/records.h"
#include "patterns/function/site.h"
#include "server/shard_unit.h"

namespace carrel::server {

// Host names, and who answers to each.
using HostShares = std::vector<std::pair<std::string, std::shared_ptr<const function::Shares>>>;

// Owner: the composition root; the shards outlive its use. Thread-safe.
class Switchboard {
 public:
  // Called by the last shard that has taken a change over, on its thread.
  using Done = std::function<void()>;

  // Before shards start: they get every change from now on, and what there is at once.
  void attach(ShardUnit& shard);

  void set_folders(std::vector<std::shared_ptr<const function::Site>> sites);

  // What leads to the app, in place of what did. False: a later revision is served already; `done`
  // is not called.
  bool set_app(const deployment::Scope& scope, std::uint64_t revision, HostShares hosts,
               const Done& done);

  // A removed app's data goes: another one may get its name, and begins at the first revision.
  void forget(const deployment::Scope& scope);

 private:
  struct Served {
    std::uint64_t revision = 0;
    std::vector<std::string> hosts;
  };
  void publish(const Done& done);

  std::mutex mutex_;
  std::vector<ShardUnit*> shards_;
  function::Sites sites_;
  std::map<deployment::Scope, Served> apps_;
};

}  // namespace carrel::server
