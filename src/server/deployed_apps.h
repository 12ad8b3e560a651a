// Deployed apps on this server: makes their versions ready, and has the shards serve them.
//
// A version's files are unpacked below the state folder, where they are a copy of what the store
// keeps: whatever is missing or left over there is made good. Compiling goes on threads of its own,
// which tenants share fairly; nothing else waits for it.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "app/deployment/stage.h"
#include "app/deployment/stored.h"
#include "observe/log.h"
#include "server/app_loader.h"
#include "server/switchboard.h"
#include "server/tenant_jobs.h"
#include "store/parts.h"

namespace carrel::server {

struct DeployedOptions {
  std::filesystem::path folder;      // for unpacked versions
  std::string domain = "localhost";  // APP.TENANT.domain
  unsigned threads = 2;
  std::chrono::seconds look_every{60};  // for what is to go
  // Takes a removed app's records away; called on a thread of ours.
  std::function<void(const deployment::Scope& scope)> erase;
  // Called at each look, for what else is to go; on a thread of ours.
  std::function<void()> each_look = [] {};
  // What the store keeps; called on a thread of ours. Blocks.
  std::function<Result<deployment::StoredApps>()> stored;
};

// The points and modules of a version that is ready.
const hook::App& points_in(const deployment::Ready& version);

// Owner: the composition root; outlives the API. Thread-safe. Stops: `stop`, while the shards are
// there; what is being compiled is waited for, and who waits in `prepare` then waits until it is
// destroyed.
class DeployedApps final : public deployment::Stage {
 public:
  DeployedApps(const AppLoader& loader, const store::Parts& parts, Switchboard& switchboard,
               observe::Log& events, DeployedOptions options);
  ~DeployedApps() override;

  // At the start, before shards run: serves what the store says. Blocks. An app whose versions
  // cannot be made ready is in the log, and not served.
  void restore(const std::vector<deployment::StoredApp>& apps);
  // The shards are there: versions can be made ready, and what is to go can go.
  void start();
  void stop();

  // Names of apps that are served from folders: they are not to be deployed, and what was deployed
  // by these names is not served. Before `restore`.
  void set_folder_apps(std::set<deployment::Scope> scopes);

  async::Task<Result<std::shared_ptr<const deployment::Ready>>> prepare(
      async::Shard& shard, deployment::Scope scope, deployment::Bundle bundle) override;
  async::Task<void> serve(async::Shard& shard, deployment::Scope scope, deployment::AppRecord app,
                          std::vector<deployment::ReadyVersion> versions) override;
  std::vector<std::string> hosts(const deployment::Scope& scope) const override;
  std::string preview_host(const deployment::Scope& scope, std::uint64_t version) const override;
  Result<void> check_free(const deployment::Scope& scope) const override;

 private:
  using ReadyResult = Result<std::shared_ptr<const deployment::Ready>>;
  using Key = std::pair<deployment::Scope, std::string>;  // the bundle's digest

  std::filesystem::path folder_of(const Key& key) const;
  ReadyResult make_ready(const Key& key, const deployment::Bundle& bundle);
  ReadyResult load(const Key& key, const deployment::Bundle& bundle);
  AppEntrances entrances_of(const deployment::Scope& scope, const deployment::AppRecord& app,
                            const std::vector<deployment::ReadyVersion>& versions) const;
  void restore(const deployment::StoredApp& app);
  void sweep_folders(const std::vector<deployment::StoredApp>& apps);
  void remove_leftover(const std::filesystem::path& copy);
  void work();
  void look();
  void note_removal(const deployment::Scope& scope, const deployment::AppRecord& app);
  std::vector<deployment::Scope> take_overdue();

  AppLoader loader_;
  const store::Parts& parts_;
  Switchboard& switchboard_;
  observe::Log& events_;
  const DeployedOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  TenantJobs jobs_;
  std::set<Key> making_;
  std::map<Key, std::weak_ptr<const deployment::Ready>> ready_;
  std::deque<std::shared_ptr<const deployment::Ready>> recent_;  // about to be activated
  std::set<deployment::Scope> folder_apps_;
  std::map<deployment::Scope, WallTime> removed_;  // when their data goes
  Instant next_look_;
  bool leftovers_ = false;  // there may be copies that the store does not know of
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace carrel::server
