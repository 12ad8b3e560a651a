// carrel hook tail, replay: what a customer's binding was given lately, and what a module makes of
// it now.
#pragma once

#include <cstdint>
#include <string>

#include "cli/node_client.h"

namespace CLI {
class App;
}

namespace carrel::cli {

// Texts as they were typed.
struct ReplayOptions {
  std::string tenant, binding;
  std::string module;       // replay: APP/NAME or APP/NAME@VERSION; empty: the binding's own
  std::uint64_t input = 0;  // replay: a recording's number; 0: all
  bool follow = false;      // tail
  bool json = false;
};
void add_replay_options(CLI::App& app, ReplayOptions& options);

// Goes on until nobody reads, if it follows. Errors: those of NodeClient::call.
Result<void> hook_tail(NodeClient& node, const ReplayOptions& options);
// Gives the exit status: kFailure when something differs. Errors: likewise; invalid_argument.
Result<int> hook_replay(NodeClient& node, const ReplayOptions& options);

}  // namespace carrel::cli
