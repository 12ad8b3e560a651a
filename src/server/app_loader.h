// From an app's files to a site that shards can serve: manifest, modules, assets, routes, checked
// together.
//
// A load either gives a whole site or all that is wrong, and never changes what is served: that is
// the caller's switch.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/node.h"
#include "app/manifest.h"
#include "patterns/function/site.h"
#include "patterns/hook/point.h"
#include "runtime/loader.h"
#include "server/folder_watch.h"
#include "server/options.h"
#include "turn/turn.h"

namespace carrel::server {

struct LoadedApp {
  std::shared_ptr<const function::Site> site;
  std::shared_ptr<const hook::App> hooks;  // its points and its modules
  api::AppInfo info;
  std::vector<WatchedFolder> folders;  // where its files are
  std::vector<std::string> notices;
};

// Whose an app is, by which names it is called, and what it may take of the node.
struct Placement {
  TenantName tenant;
  std::vector<std::string> hosts;
  app::Pairs environment;          // the operator's, which goes before the app's own
  std::uint64_t static_bytes = 0;  // of its static folders in memory; the rest stays on disk
  std::optional<Nanos> patience;   // for compiling all its modules; nothing: as long as it takes
};

// Value type; what it refers to outlives it. Thread-safe. Blocks while modules are fetched and
// compiled.
class AppLoader {
 public:
  // `egress`: where registries may be, as it is when an app is loaded.
  AppLoader(runtime::Loader& loader, turn::GuestLog& guest_log, const ServerOptions& options,
            const net::EgressPolicy& egress, const Clock& clock)
      : loader_(loader), guest_log_(guest_log), options_(options), egress_(egress), clock_(clock) {}

  // Served by the operator's wish: fetches modules from registries if they are not kept in the
  // state folder. Errors: those of the manifest, of each module, of each folder, all at once.
  Result<LoadedApp> load(const AppSource& source) const;  // in the root tenant of its name
  // Served by a tenant's: it gets nothing that is the operator's.
  Result<LoadedApp> load(const AppSource& source, const Placement& placement) const;

 private:
  Result<void> fetch_sources(app::Manifest& manifest) const;
  std::vector<std::string> hosts_of(const AppName& app) const;
  Result<LoadedApp> load_placed(app::Manifest manifest, const AppSource& source,
                                const Placement& placement) const;

  runtime::Loader& loader_;
  turn::GuestLog& guest_log_;
  const ServerOptions& options_;
  const net::EgressPolicy& egress_;
  const Clock& clock_;
};

}  // namespace carrel::server
