// `/config`: one read-only file a setting. (Settings are environment variables as well; that is not
// done here.)
#pragma once

#include <map>
#include <memory>
#include <string>

#include "wasi/node.h"

namespace carrel::capability::config {

// File names are percent-encoded (wasi/names.h); a setting without a name is left out. Immutable:
// made once for a deployment's module, it serves the turns of all shards.
std::shared_ptr<wasi::Node> mount(const std::map<std::string, std::string>& settings);

}  // namespace carrel::capability::config
