// The options that say which calls to the outside modules may make, besides what their grants say:
// alike for a server and for one turn.
#pragma once

#include <string>
#include <vector>

#include "net/client.h"

namespace CLI {
class App;
}

namespace carrel::cli {

// Texts as they were typed.
struct EgressArguments {
  std::vector<std::string> allowed;
  std::string ca_file;
};
void add_egress_options(CLI::App& app, EgressArguments& arguments);

// Errors: invalid_argument naming the option.
Result<std::vector<net::IpRange>> allowed_ranges(const EgressArguments& arguments);

// Of a process that listens nowhere. Errors: those of `allowed_ranges` and of the certificates.
Result<net::ClientOptions> client_options(const EgressArguments& arguments);

}  // namespace carrel::cli
