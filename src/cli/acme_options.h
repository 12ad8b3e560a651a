// The options for certificates by themselves (ACME), and the plain listener they need.
#pragma once

#include <string>
#include <vector>

#include "server/options.h"

namespace CLI {
class App;
}

namespace carrel::cli {

// Texts as they were typed.
struct AcmeArguments {
  std::string directory, contact, terms, ca_file, plain;
  std::vector<std::string> names;
};

void add_acme_options(CLI::App& app, AcmeArguments& arguments);

// After the options for TLS have been read. Errors: invalid_argument naming the option.
Result<void> read_acme(const AcmeArguments& arguments, server::ServerOptions& options);

}  // namespace carrel::cli
