#include "embed/application.h"

#include <fmt/format.h>

#include "app/manifest.h"
#include "observe/json_line.h"
#include "server/app_modules.h"
#include "server/hook_points.h"

namespace carrel::embed {
namespace {

Outcome<> check_stateless(const app::Manifest& manifest) {
  for (const app::Module& module : manifest.modules) {
    if (module.image)
      return failed(kNeedsServer, fmt::format("module \"{}\" is in a registry", module.name.str()),
                    "`carrel pull` makes a file of it, for `source`");
    if (module.grants.any())
      return failed(kNeedsServer,
                    fmt::format("module \"{}\" has grants, and there is no state in a folder",
                                module.name.str()),
                    "take its grants away, or open a server's socket: \"unix:/path\"");
  }
  for (const app::HookPoint& point : manifest.hooks) {
    for (const app::HookBinding& binding : point.bindings) {
      if (binding.endpoint)
        return failed(kNeedsServer, fmt::format("\"{}\" at the point \"{}\" is an endpoint",
                                                binding.name, point.name));
    }
  }
  return {};
}

}  // namespace

Outcome<std::shared_ptr<Application>> Application::open(const std::filesystem::path& folder,
                                                        runtime::Loader& loader, const LogTo& log) {
  CARREL_TRY(const app::Manifest manifest, app::load_manifest(folder));
  CARREL_TRY_VOID(check_stateless(manifest));
  server::Faults faults(manifest.file);
  const auto modules =
      server::modules_of({.manifest = manifest, .tenant = TenantName(manifest.app.str())}, loader,
                         system_clock(), faults);
  if (!faults.empty()) return std::unexpected(Failure(faults.error()));
  auto application = std::make_shared<Application>();
  for (const auto& module : modules) {
    CARREL_TRY(auto code, loader.load_now(*module.program));
    application->code_.push_back(std::move(code));
  }
  application->log_ = log;
  if (manifest.hooks.empty())
    return std::unexpected(Failure(
        Error(Code::invalid_config, fmt::format("{} has no hook points", manifest.file.string()),
              "[[hook]] declares one")));
  CARREL_TRY(const auto made,
             server::hook_points_of(manifest, modules, TenantName(manifest.app.str()), {}, 0));
  auto hooks = std::make_shared<hook::App>(*made);
  for (auto& [name, point] : hooks->points) {
    for (hook::Binding& binding : point.bindings)
      hook::let_call(binding, point.functions, application->functions_);
  }
  application->hooks_ = std::move(hooks);
  return application;
}

std::shared_ptr<Application> Application::at(LocalServer::Place place) {
  auto application = std::make_shared<Application>();
  application->server_ = std::make_unique<LocalServer>(std::move(place));
  return application;
}

void Application::tell(const turn::ModuleSetup& module, std::uint64_t call, std::string_view event,
                       std::string_view text) const {
  if (log_.call == nullptr) return;
  const std::string line = observe::JsonLine()
                               .add("event", event)
                               .add("tenant", module.tenant.str())
                               .add("module", module.name.str())
                               .add("call", call)
                               .add("text", text)
                               .finish();
  log_.call(log_.user, line.c_str(), line.size());
}

bool Application::begin_call() {
  calls_.fetch_add(1);
  if (!draining_.load()) return true;
  end_call();
  return false;
}

void Application::end_call() {
  if (calls_.fetch_sub(1) != 1 || !draining_.load()) return;
  const std::lock_guard lock(mutex_);
  ended_.notify_all();
}

bool Application::drain(Instant until) {
  draining_.store(true);
  std::unique_lock lock(mutex_);
  return ended_.wait_until(lock, until, [this] { return calls_.load() == 0; });
}

}  // namespace carrel::embed
