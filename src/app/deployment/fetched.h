// Modules that a version's manifest names in registries: fetched once, when the version is made,
// and files of it from then on. What a tag names later changes nothing.
//
//   .carrel/modules/price.wasm: what [module.price] names; nobody can upload to .carrel
#pragma once

#include <vector>

#include "app/deployment/records.h"
#include "app/manifest.h"
#include "app/module_source.h"
#include "async/task.h"
#include "store/part_io.h"

namespace carrel::deployment {

// Adds the modules to the version's bundle, and to `sources` what pins each. The bundle's parts are
// there. What else is wrong with the manifest is left to who reads it next. `pins`: of the parts
// that were kept, to be held until the version is committed. All arguments outlive the task.
// Errors: all modules that cannot be had at once (invalid_config; not_signed if one is not); those
// of keep_part.
async::Task<Result<void>> fetch_modules(store::ShardStore* store, app::ModuleSource* source,
                                        const TenantName* tenant, Version* version,
                                        std::vector<store::Parts::Pin>* pins);

// What was fetched becomes the modules' files. Errors: invalid_config for one that was not.
Result<void> use_fetched(app::Manifest& manifest);

}  // namespace carrel::deployment
