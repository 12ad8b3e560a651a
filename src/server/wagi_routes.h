// wagi's `_routes`: a module that exports it says which of its functions answer which paths below
// its route.
//
// Source: deislabs/wagi 0.8.1. It is called once at load, with nothing but its module's grants; it
// prints lines
// "/path entrypoint", and the last line is tried first, before the module's own route.
#pragma once

#include <vector>

#include "app/manifest.h"
#include "patterns/function/site.h"
#include "runtime/loader.h"
#include "turn/turn.h"

namespace carrel::server {

inline constexpr std::size_t kMaxDeclared = 256;  // routes of one module

// Adds what modules declare to `manifest`'s functions and to `modules`, which stand in the
// manifest's order. Blocks. Errors: what the module did, or invalid_config for a line that is no
// route.
Result<void> add_declared_routes(app::Manifest& manifest, std::vector<function::Function>& modules,
                                 runtime::Loader& loader, turn::GuestLog& guest_log,
                                 const Clock& clock);

}  // namespace carrel::server
