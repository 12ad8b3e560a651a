// What a manifest settles for every turn of a module: all of its ModuleSetup but the folders it
// sees, which the caller mounts. Pure; any thread.
#pragma once

#include "app/manifest.h"
#include "turn/turn.h"

namespace carrel::app {

// `environment` goes before the module's own: the first of a name is what a guest finds.
turn::ModuleSetup setup_of(const Manifest& app, const Module& module,
                           const Pairs& environment = {});

}  // namespace carrel::app
