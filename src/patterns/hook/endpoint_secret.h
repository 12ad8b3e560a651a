// Secrets of a binding's tenant that its endpoint's requests need.
#pragma once

#include <string>
#include <string_view>

#include "async/task.h"
#include "base/id.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "turn/state.h"

namespace carrel::hook {

// `services` have a store and a sealer. Errors: not_found that names it; permission_denied when it
// was sealed under another key; those of the store.
async::Task<Result<SecretBytes>> read_secret(turn::Services services, TenantName tenant,
                                             std::string name);

// As an editor or a shell leaves one.
std::string_view without_line_end(std::string_view secret);

}  // namespace carrel::hook
