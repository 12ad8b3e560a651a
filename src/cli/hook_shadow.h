// carrel hook shadow: a module beside the endpoint that it is to take the place of.
#pragma once

#include <string>
#include <vector>

#include "cli/node_client.h"

namespace carrel::cli {

struct ShadowOptions {
  std::string point, binding, module;
  std::vector<std::string> inputs;  // files; none, or "-": standard input
  bool json = false;
};

// Gives the exit status: kFailure when something differs. Errors: those of files and of the call.
Result<int> shadow(NodeClient& node, const ShadowOptions& options);

}  // namespace carrel::cli
