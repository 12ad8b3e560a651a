// The state folder: compiled code, this node's key. Only its owner may enter it (mode 0700).
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace CLI {
class App;
}

namespace carrel::cli {

// --state, else CARREL_STATE, else $XDG_STATE_HOME/carrel, else ~/.local/state/carrel.
// Errors: invalid_argument when none of them says where.
Result<std::filesystem::path> state_path(const std::string& option);

// The same, made if it is not there. Errors: permission_denied when others may enter it or it is
// not ours; io.
Result<std::filesystem::path> open_state(const std::string& option);

// Declares --state.
void add_state_option(CLI::App& app, std::string& option);

}  // namespace carrel::cli
