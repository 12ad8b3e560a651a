// From a manifest that names modules in registries to one that names files only.
#pragma once

#include <vector>

#include "app/manifest.h"
#include "app/oci/sources.h"

namespace carrel::app {

// Fetches what is not kept yet. A tag without a digest is looked up now, and a notice says what to
// write to pin it. Blocks. The errors are those of each module, all at once.
std::vector<Error> fetch_sources(Manifest& manifest, oci::Sources& sources);

}  // namespace carrel::app
