// What callers of a point are told: its modules, what came of each, why it failed. JSON.
//
// They may know of a module that is not their own what came of it, not what it said.
#pragma once

#include <string>
#include <vector>

#include "patterns/hook/invoker.h"

namespace carrel::hook {

// [{"binding", "tenant", "status", "micros", "code", "problems"}]
std::string runs_text(const std::vector<Run>& runs);

// {"binding": "who made it fail", "problems": [{"at", "message"}], "runs": [...]}, as far as there
// are any.
std::string failure_text(const Invocation& made);

// [{"point", "kind", "combine", "bindings": [{"name", "tenant", "endpoint"}]}]
std::string points_text(const App& app);

}  // namespace carrel::hook
