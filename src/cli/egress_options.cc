#include "cli/egress_options.h"

#include <CLI/CLI.hpp>
#include <utility>

namespace carrel::cli {

void add_egress_options(CLI::App& app, EgressArguments& arguments) {
  app.add_option("--allow-egress", arguments.allowed,
                 "Addresses that apps may call though they are not public; may be repeated")
      ->type_name("CIDR")
      ->allow_extra_args(false);
  app.add_option("--egress-ca-file", arguments.ca_file,
                 "Certificates that apps' calls believe (PEM; default: the system's)")
      ->type_name("FILE");
}

Result<std::vector<net::IpRange>> allowed_ranges(const EgressArguments& arguments) {
  std::vector<net::IpRange> ranges;
  for (const std::string& text : arguments.allowed) {
    auto range = net::parse_range(text);
    if (!range) return std::unexpected(std::move(range).error().within("--allow-egress"));
    ranges.push_back(*range);
  }
  return ranges;
}

Result<net::ClientOptions> client_options(const EgressArguments& arguments) {
  net::ClientOptions options;
  CARREL_TRY(options.policy.allowed, allowed_ranges(arguments));
  CARREL_TRY(options.tls, net::load_client_tls(arguments.ca_file));
  return options;
}

}  // namespace carrel::cli
