#include "app/setup.h"

#include "capability/config/config.h"

namespace carrel::app {

turn::ModuleSetup setup_of(const Manifest& app, const Module& module, const Pairs& environment) {
  turn::ModuleSetup setup{.tenant = TenantName(app.app.str()),
                          .app = app.app,
                          .name = module.name,
                          .limits = module.limits,
                          .entrypoint = module.entrypoint,
                          .argv = module.argv,
                          .environment = environment,
                          .grants = module.grants,
                          .sync = app.sync,
                          .storage = app.storage};
  if (module.reuse) setup.reuse = std::make_shared<const turn::Reuse>();
  for (const auto* pairs : {&module.environment, &module.config}) {
    setup.environment.insert(setup.environment.end(), pairs->begin(), pairs->end());
  }
  setup.mounts.push_back(
      {"/config", capability::config::mount({module.config.begin(), module.config.end()})});
  return setup;
}

}  // namespace carrel::app
