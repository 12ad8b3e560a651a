#include "server/app_loader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "app/deployment/fetched.h"
#include "app/fetch_sources.h"
#include "app/wagi.h"
#include "server/app_modules.h"
#include "server/faults.h"
#include "server/hook_points.h"
#include "server/wagi_routes.h"

namespace carrel::server {
namespace {

// What the static folders of one version may hold in memory, and how many files; a folder that
// several routes serve counts once.
class Statics {
 public:
  explicit Statics(std::uint64_t bytes) : bytes_(bytes) {}

  Result<std::shared_ptr<const function::StaticFiles>> open(const app::StaticFolder& each) {
    auto& files = opened_[{each.folder, each.max_age}];
    if (files) return files;
    CARREL_TRY(files,
               function::StaticFiles::open(
                   each.folder, {.max_age = each.max_age, .total_bytes = bytes_, .files = files_}));
    bytes_ -= files->bytes_in_memory();
    files_ -= files->count();
    return files;
  }

 private:
  std::map<std::pair<std::filesystem::path, std::optional<std::chrono::seconds>>,
           std::shared_ptr<const function::StaticFiles>>
      opened_;
  std::uint64_t bytes_;
  std::size_t files_ = function::StaticOptions().files;
};

std::vector<WatchedFolder> folders_of(const app::Manifest& manifest) {
  std::vector<WatchedFolder> folders = {{manifest.folder, Depth::whole_tree}};
  for (const app::Module& module : manifest.modules) {
    if (!module.image) folders.push_back({module.source.parent_path(), Depth::folder_only});
    for (const app::Volume& volume : module.volumes)
      folders.push_back({volume.host, Depth::whole_tree});
  }
  for (const app::StaticFolder& each : manifest.statics)
    folders.push_back({each.folder, Depth::whole_tree});
  return folders;
}

Result<app::Manifest> load_manifest(const AppSource& source) {
  return source.kind == ManifestKind::wagi ? app::load_wagi(source.path)
                                           : app::load_manifest(source.path);
}

std::string text_of(const app::Route& route) {
  return route.methods.empty() ? route.text
                               : fmt::format("{} {}", fmt::join(route.methods, ","), route.text);
}

std::vector<std::string> routes_text(const app::Manifest& manifest) {
  std::vector<std::string> texts;
  texts.reserve(manifest.functions.size() + manifest.statics.size());
  for (const app::Function& each : manifest.functions) texts.push_back(text_of(each.route));
  for (const app::StaticFolder& each : manifest.statics) texts.push_back(text_of(each.route));
  return texts;
}

}  // namespace

Result<LoadedApp> AppLoader::load(const AppSource& source) const {
  CARREL_TRY(app::Manifest manifest, load_manifest(source));
  CARREL_TRY_VOID(fetch_sources(manifest));
  const Placement placement{.tenant = TenantName(manifest.app.str()),
                            .hosts = hosts_of(manifest.app),
                            .environment = options_.environment,
                            .static_bytes = function::StaticOptions().total_bytes,
                            .patience = {}};
  return load_placed(std::move(manifest), source, placement);
}

Result<LoadedApp> AppLoader::load(const AppSource& source, const Placement& placement) const {
  CARREL_TRY(app::Manifest manifest, load_manifest(source));
  CARREL_TRY_VOID(app::check_deployable(manifest));
  // Fetched with the tenant's logins: the node's are not for whoever may deploy to it.
  CARREL_TRY_VOID(deployment::use_fetched(manifest));
  return load_placed(std::move(manifest), source, placement);
}

Result<LoadedApp> AppLoader::load_placed(app::Manifest manifest, const AppSource& source,
                                         const Placement& placement) const {
  Faults faults(manifest.file);
  std::optional<Instant> until;
  if (placement.patience) until = clock_.now() + *placement.patience;
  std::vector<function::Function> modules = modules_of({.manifest = manifest,
                                                        .tenant = placement.tenant,
                                                        .environment = placement.environment,
                                                        .until = until},
                                                       loader_, clock_, faults);
  Statics opened(placement.static_bytes);
  std::vector<std::shared_ptr<const function::StaticFiles>> statics;
  for (const app::StaticFolder& each : manifest.statics) {
    auto files = opened.open(each);
    if (!files) {
      faults.add(files.error());
      continue;
    }
    statics.push_back(*files);
  }
  if (!faults.empty()) return std::unexpected(faults.error());
  const std::size_t files = manifest.modules.size();
  if (source.kind == ManifestKind::wagi)
    CARREL_TRY_VOID(add_declared_routes(manifest, modules, loader_, guest_log_, clock_));

  auto site = std::make_shared<function::Site>(
      function::Site{.app = manifest.app,
                     .hosts = placement.hosts,
                     .router = function::Router(manifest.rules, function::routes_of(manifest)),
                     .statics = std::move(statics)});
  for (const app::Function& each : manifest.functions)
    site->functions.push_back(modules[each.module]);

  CARREL_TRY(auto hooks, hook_points_of(manifest, modules, placement.tenant, site->hosts,
                                        placement.environment.size()));
  LoadedApp app{.site = site,
                .hooks = std::move(hooks),
                .folders = folders_of(manifest),
                .notices = manifest.notices};
  app.info = {.name = manifest.app.str(),
              .tenant = placement.tenant.str(),
              .hosts = site->hosts,
              .routes = routes_text(manifest),
              .modules = files,
              .storage = manifest.storage,
              .loaded = clock_.wall()};
  return app;
}

Result<void> AppLoader::fetch_sources(app::Manifest& manifest) const {
  oci::Sources sources({.registries = {.policy = egress_,
                                       .ca_file = options_.egress_ca_file,
                                       .plain_http = options_.plain_http,
                                       .credentials = options_.registry_logins},
                        .cache = options_.state / "oci",
                        .signed_by = options_.trusted_signers});
  Faults faults(manifest.file);
  for (Error& error : app::fetch_sources(manifest, sources)) faults.add(std::move(error));
  if (!faults.empty()) return std::unexpected(faults.error());
  return {};
}

// One app alone answers to every name; several answer to their own.
std::vector<std::string> AppLoader::hosts_of(const AppName& app) const {
  if (options_.apps.size() == 1) return {};
  std::vector<std::string> hosts = {app.str() + ".localhost"};
  for (const auto& [name, host] : options_.hosts) {
    if (name == app.str()) hosts.push_back(host);
  }
  return hosts;
}

}  // namespace carrel::server
