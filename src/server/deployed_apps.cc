#include "server/deployed_apps.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <utility>

#include "app/deployment/unpack.h"
#include "async/event.h"
#include "server/deployed_hosts.h"
#include "store/part_names.h"

namespace carrel::server {
namespace {

namespace fs = std::filesystem;
using deployment::AppRecord;
using deployment::Bundle;
using deployment::Ready;
using deployment::ReadyVersion;
using deployment::Scope;

constexpr std::size_t kRecent = 32;
constexpr std::uint64_t kStaticBytes = 4ULL << 20;  // of a version's static files, in memory
constexpr std::chrono::minutes kPatience{5};        // for compiling a version

class ReadyApp final : public Ready {
 public:
  explicit ReadyApp(LoadedApp app) : app_(std::move(app)) {}
  const std::vector<std::string>& routes() const override { return app_.info.routes; }
  const std::vector<std::string>& notices() const override { return app_.notices; }
  const LoadedApp& app() const { return app_; }

 private:
  LoadedApp app_;
};

const LoadedApp& app_in(const ReadyVersion& version) {
  return static_cast<const ReadyApp&>(*version.ready).app();
}

// As long as it is served, it is known to be ready.
std::shared_ptr<const function::Site> site_of(const ReadyVersion& version) {
  return {version.ready, app_in(version).site.get()};
}
std::shared_ptr<const hook::App> points_of(const ReadyVersion& version) {
  return {version.ready, app_in(version).hooks.get()};
}

Entrance entrance_to(function::Shares sites, hook::AppShares points) {
  return {.sites = std::make_shared<const function::Shares>(std::move(sites)),
          .points = std::make_shared<const hook::AppShares>(std::move(points))};
}

// Whoever deployed knows paths below the app's folder, not where this server keeps it.
Error without(const fs::path& folder, const Error& error) {
  const std::string prefix = folder.native() + "/";
  std::string text = error.message();
  for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at))
    text.erase(at, prefix.size());
  return Error(error.code(), std::move(text), error.help());
}

void remove_folder(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);  // what stays is swept up later
}

// Also used by a thread of ours after its waiter has gone.
struct Delivery {
  async::Event done;
  std::optional<Result<std::shared_ptr<const Ready>>> result;
};

}  // namespace

const hook::App& points_in(const Ready& version) {
  return *static_cast<const ReadyApp&>(version).app().hooks;
}

DeployedApps::DeployedApps(const AppLoader& loader, const store::Parts& parts,
                           Switchboard& switchboard, observe::Log& events, DeployedOptions options)
    : loader_(loader),
      parts_(parts),
      switchboard_(switchboard),
      events_(events),
      options_(std::move(options)) {}

void DeployedApps::start() {
  next_look_ = system_clock().now();  // what has become overdue meanwhile does not wait
  for (unsigned i = 0; i < std::max(options_.threads, 1U); ++i) {
    threads_.emplace_back([this] {
      ::pthread_setname_np(::pthread_self(), "deploy");
      work();
    });
  }
}

DeployedApps::~DeployedApps() { stop(); }

void DeployedApps::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void DeployedApps::work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (system_clock().now() >= next_look_) {
      next_look_ = system_clock().now() + options_.look_every;
      lock.unlock();
      look();
      lock.lock();
    } else if (auto taken = jobs_.take()) {
      lock.unlock();
      taken->job();
      taken->job = nullptr;
      lock.lock();
      jobs_.done(taken->tenant);
      changed_.notify_all();
    } else {
      changed_.wait_until(lock, next_look_);
    }
  }
}

// A library's exception must not end a thread.
void DeployedApps::look() try {
  std::vector<Scope> overdue;
  bool leftovers = false;
  {
    const std::lock_guard lock(mutex_);
    overdue = take_overdue();
    leftovers = std::exchange(leftovers_, !overdue.empty());  // their copies go the next time
  }
  for (const Scope& scope : overdue) options_.erase(scope);
  options_.each_look();
  if (!leftovers) return;
  if (const auto stored = options_.stored()) sweep_folders(stored->apps);
} catch (const std::exception& cause) {
  events_.write(observe::Level::error, "leftovers_stay", {{"message", cause.what()}});
}

// One that was restored meanwhile is found to be in use by `erase`.
std::vector<Scope> DeployedApps::take_overdue() {
  std::vector<Scope> overdue;
  const WallTime now = system_clock().wall();
  for (const auto& [scope, until] : removed_) {
    if (until <= now) overdue.push_back(scope);
  }
  for (const Scope& scope : overdue) removed_.erase(scope);
  return overdue;
}

void DeployedApps::note_removal(const Scope& scope, const AppRecord& app) {
  const std::lock_guard lock(mutex_);
  if (app.removed) {
    removed_[scope] = *app.removed;
  } else {
    removed_.erase(scope);
  }
}

void DeployedApps::set_folder_apps(std::set<Scope> scopes) {
  const std::lock_guard lock(mutex_);
  folder_apps_ = std::move(scopes);
}

Result<void> DeployedApps::check_free(const Scope& scope) const {
  const std::lock_guard lock(mutex_);
  if (!folder_apps_.contains(scope)) return {};
  return fail(Code::in_use, fmt::format("{} is served from a folder by this server; deploy it to "
                                        "another tenant, or start the server without the folder",
                                        scope.app.str()));
}

fs::path DeployedApps::folder_of(const Key& key) const {
  const auto& [scope, digest] = key;
  return options_.folder / store::folder_name(scope.tenant) / scope.app.str() / digest;
}

// One at a time makes a version; whoever comes second finds it.
DeployedApps::ReadyResult DeployedApps::make_ready(const Key& key, const Bundle& bundle) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !making_.contains(key); });
    if (const auto found = ready_.find(key); found != ready_.end()) {
      if (auto ready = found->second.lock()) return ready;
    }
    making_.insert(key);
  }
  auto made = load(key, bundle);
  {
    const std::lock_guard lock(mutex_);
    making_.erase(key);
    leftovers_ = true;
    std::erase_if(ready_, [](const auto& entry) { return entry.second.expired(); });
    if (made) {
      ready_[key] = *made;
      recent_.push_back(*made);
      if (recent_.size() > kRecent) recent_.pop_front();
    }
  }
  changed_.notify_all();
  return made;
}

// A library's exception must not end a thread.
DeployedApps::ReadyResult DeployedApps::load(const Key& key, const Bundle& bundle) try {
  const auto& scope = key.first;
  const fs::path folder = folder_of(key);
  CARREL_TRY_VOID(deployment::unpack(parts_, scope.tenant, bundle, folder));
  auto loaded = loader_.load({.path = folder}, {.tenant = scope.tenant,
                                                .hosts = {},
                                                .environment = {},
                                                .static_bytes = kStaticBytes,
                                                .patience = kPatience});
  if (!loaded) {
    auto error = without(folder, loaded.error());
    remove_folder(folder);
    return std::unexpected(std::move(error));
  }
  if (loaded->info.name != scope.app.str()) {
    remove_folder(folder);
    return fail(Code::invalid_config,
                fmt::format("carrel.toml names the app \"{}\", and it is deployed as \"{}\"",
                            loaded->info.name, scope.app.str()));
  }
  return std::make_shared<const ReadyApp>(std::move(*loaded));
} catch (const std::exception& cause) {
  return fail(Code::internal, fmt::format("a version could not be made ready: {}", cause.what()));
}

async::Task<DeployedApps::ReadyResult> DeployedApps::prepare(async::Shard& shard, Scope scope,
                                                             Bundle bundle) {
  const auto delivery = std::make_shared<Delivery>();
  Key key{std::move(scope), bundle.digest()};
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) co_return fail(Code::shutting_down);
    const auto found = ready_.find(key);
    if (auto ready = found == ready_.end() ? nullptr : found->second.lock()) co_return ready;
    const TenantName tenant = key.first.tenant;
    const bool added = jobs_.add(
        tenant, [this, &shard, delivery, key = std::move(key), bundle = std::move(bundle)] {
          auto result = make_ready(key, bundle);
          shard.submit([delivery, result = std::move(result)]() mutable {
            delivery->result.emplace(std::move(result));
            delivery->done.signal();
          });
        });
    if (!added)
      co_return fail(Code::too_many_requests, "other versions of this tenant are being made ready");
  }
  changed_.notify_all();
  co_await delivery->done;
  co_return std::move(*delivery->result);
}

AppEntrances DeployedApps::entrances_of(const Scope& scope, const AppRecord& app,
                                        const std::vector<ReadyVersion>& versions) const {
  AppEntrances entrances;
  if (app.removed) return entrances;
  function::Shares sites;
  hook::AppShares points;
  unsigned most = 0;  // percent
  for (const deployment::Share& share : app.live) {
    const auto found = std::ranges::find(versions, share.version, &ReadyVersion::number);
    if (found == versions.end() || found->ready == nullptr) continue;
    sites.all.push_back({site_of(*found), share.percent});
    points.all.push_back({points_of(*found), share.percent});
    if (share.percent < most) continue;
    most = share.percent;
    entrances.info = {found->ready, &app_in(*found).info};
  }
  if (!sites.all.empty()) {
    entrances.live = entrance_to(std::move(sites), std::move(points));
    entrances.hosts = hosts(scope);
  }
  for (const ReadyVersion& version : versions) {
    if (version.ready == nullptr || !app.serves(version.number)) continue;
    entrances.previews.emplace_back(preview_host(scope, version.number),
                                    entrance_to({{{site_of(version)}}}, {{{points_of(version)}}}));
  }
  return entrances;
}

async::Task<void> DeployedApps::serve(async::Shard& shard, Scope scope, AppRecord app,
                                      std::vector<ReadyVersion> versions) {
  note_removal(scope, app);
  const auto done = std::make_shared<async::Event>();
  const bool newer =
      switchboard_.set_app(scope, app.revision, entrances_of(scope, app, versions),
                           [done, &shard] { shard.submit([done] { done->signal(); }); });
  if (newer) co_await *done;
}

std::vector<std::string> DeployedApps::hosts(const Scope& scope) const {
  return hosts_of_app(scope, options_.domain);
}

std::string DeployedApps::preview_host(const Scope& scope, std::uint64_t version) const {
  return host_of_version(scope, version, options_.domain);
}

// While it goes, nobody makes it anew.
void DeployedApps::remove_leftover(const fs::path& copy) {
  const auto tenant = store::tenant_of(copy.parent_path().parent_path().filename().native());
  const Key key{{tenant.value_or(TenantName()), AppName(copy.parent_path().filename().native())},
                copy.stem().native()};  // "DIGEST", or "DIGEST.new" while it is made
  {
    const std::lock_guard lock(mutex_);
    const auto ready = ready_.find(key);
    if (making_.contains(key) || (ready != ready_.end() && !ready->second.expired())) return;
    making_.insert(key);
  }
  remove_folder(copy);
  {
    const std::lock_guard lock(mutex_);
    making_.erase(key);
  }
  changed_.notify_all();
}

// What the store does not know of: versions that are gone, or were never made, and what a crash
// left half made.
void DeployedApps::sweep_folders(const std::vector<deployment::StoredApp>& apps) {
  std::set<Key> wanted;
  for (const auto& app : apps) {
    for (const auto& version : app.versions) wanted.insert({app.scope, version.bundle.digest()});
  }
  std::set<fs::path> folders;
  for (const Key& key : wanted) folders.insert(folder_of(key));
  std::error_code error;
  for (const auto& tenant : fs::directory_iterator(options_.folder, error)) {
    for (const auto& app : fs::directory_iterator(tenant.path(), error)) {
      for (const auto& version : fs::directory_iterator(app.path(), error)) {
        if (!folders.contains(version.path())) remove_leftover(version.path());
      }
    }
  }
}

void DeployedApps::restore(const deployment::StoredApp& app) {
  note_removal(app.scope, app.record);
  if (!check_free(app.scope)) {
    events_.write(observe::Level::warn, "deployed_app_not_served",
                  {{"tenant", app.scope.tenant.str()},
                   {"app", app.scope.app.str()},
                   {"message", "it is served from a folder"}});
    return;
  }
  std::vector<ReadyVersion> versions;
  for (const auto& version : app.versions) {
    if (app.record.removed || !app.record.serves(version.number)) continue;
    auto ready = make_ready({app.scope, version.bundle.digest()}, version.bundle);
    if (ready) {
      versions.push_back({.number = version.number, .ready = std::move(*ready)});
      continue;
    }
    events_.write(observe::Level::error, "version_not_served",
                  {{"tenant", app.scope.tenant.str()},
                   {"app", app.scope.app.str()},
                   {"version", version.number},
                   {"code", code_name(ready.error().code())},
                   {"message", ready.error().message()}});
  }
  switchboard_.set_app(app.scope, app.record.revision,
                       entrances_of(app.scope, app.record, versions), {});
}

void DeployedApps::restore(const std::vector<deployment::StoredApp>& apps) {
  sweep_folders(apps);
  for (const auto& app : apps) restore(app);
}

}  // namespace carrel::server
