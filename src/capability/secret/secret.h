// `/secrets`: one read-only file for each secret that a module was granted and that has been set.
//
// Plain text exists while a file is open and in the guest; what the guest was told is kept by the
// turn, so that its log can be scrubbed of it. Reading a secret is no reason to run a turn again.
#pragma once

#include <memory>

#include "turn/turn.h"
#include "wasi/node.h"

namespace carrel::capability::secret {

// For one turn, which outlives it and has a state. Null: the module was granted none.
std::shared_ptr<wasi::Node> mount(turn::Turn& turn);

}  // namespace carrel::capability::secret
