#include "app/setup.h"

#include "capability/config/config.h"

namespace carrel::app {

turn::ModuleSetup setup_of(const AppName& app, const Module& module, const Pairs& environment) {
  turn::ModuleSetup setup{.tenant = TenantName(app.str()),
                          .app = app,
                          .name = module.name,
                          .limits = module.limits,
                          .entrypoint = module.entrypoint,
                          .argv = module.argv,
                          .environment = environment};
  for (const auto* pairs : {&module.environment, &module.config}) {
    setup.environment.insert(setup.environment.end(), pairs->begin(), pairs->end());
  }
  setup.mounts.push_back(
      {"/config", capability::config::mount({module.config.begin(), module.config.end()})});
  return setup;
}

}  // namespace carrel::app
