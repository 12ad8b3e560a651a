// Packing: from an app's folder to the bundle of what its manifest uses.
//
// That is the manifest, the modules, `assets/` and the static folders; sources and what else lies
// in the folder stay where they are. A symbolic link counts as what it leads to, which must be in
// the folder.
#pragma once

#include <filesystem>

#include "app/deployment/bundle.h"
#include "app/manifest.h"

namespace carrel::deployment {

struct PackedApp {
  app::Manifest manifest;
  Bundle bundle;
};

// Reads every file: blocks. Errors: those of the manifest; invalid_argument for bounds, links that
// lead outside and what is neither file nor folder; io.
Result<PackedApp> pack(const std::filesystem::path& folder);

// Bytes of a part of a packed file, read again. Errors: unavailable when the file has changed since
// it was packed; io.
Result<std::string> read_part(const std::filesystem::path& folder, const BundleFile& file,
                              std::size_t index);

}  // namespace carrel::deployment
