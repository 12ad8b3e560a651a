// An app's modules as its manifest has them: checked, compiled, with the folders that they see.
#pragma once

#include <optional>
#include <vector>

#include "app/manifest.h"
#include "base/clock.h"
#include "base/id.h"
#include "patterns/function/site.h"
#include "runtime/loader.h"
#include "server/faults.h"

namespace carrel::server {

struct ModulesWanted {
  const app::Manifest& manifest;
  TenantName tenant;                  // whose they are
  app::Pairs environment = {};        // the operator's, which goes before the app's own
  std::optional<Instant> until = {};  // when compiling must be done; nothing: it takes its time
};

// In the manifest's order. Blocks while modules are compiled. What is wrong is added to `faults`;
// then the modules are not to be used.
std::vector<function::Function> modules_of(const ModulesWanted& wanted, runtime::Loader& loader,
                                           const Clock& clock, Faults& faults);

}  // namespace carrel::server
