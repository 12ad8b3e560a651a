// The issuers whose JWTs are believed, as `--issuers FILE` names them (docs/guide/tenants.md).
#pragma once

#include <filesystem>

#include "base/result.h"
#include "server/options.h"
#include "tenant/identities.h"

namespace carrel::server {

// Errors: invalid_config with every problem of the file and its place; not_found, io.
Result<Issuers> load_issuers(const std::filesystem::path& file);

}  // namespace carrel::server
