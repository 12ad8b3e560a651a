// What the commands that speak to registries share: logins, whom to believe, where calls may go.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/manifest.h"
#include "app/oci/registries.h"
#include "base/result.h"

namespace CLI {
class App;
}

namespace carrel::cli {

// Texts as they were typed.
struct RegistryArguments {
  std::string config, ca_file;
  std::vector<std::string> plain_http, allowed_egress;
  std::vector<std::string> signed_by;  // only with add_source_options
};

// For commands whose user names registries.
void add_registry_options(CLI::App& app, RegistryArguments& arguments);
// For commands that run apps: what their sources in registries need, and who must have signed them.
// --ca-file and --allow-egress are not among them: `serve` has these for all calls.
void add_source_options(CLI::App& app, RegistryArguments& arguments);

// Of --registry-config, else DOCKER_CONFIG, else ~/.docker/config.json; a file that nobody named
// need not be there. Errors: not_found, io, invalid_config.
Result<oci::Credentials> read_credentials(const std::string& option);

// Errors: not_found, io, invalid_argument, each with the file's name.
Result<std::vector<oci::PublicKey>> read_public_keys(const std::vector<std::string>& files);

// The manifest of an app whose modules are files, fetched if need be. Errors: those of the
// manifest and of its sources.
Result<app::Manifest> load_app(const std::filesystem::path& where,
                               const RegistryArguments& arguments, const std::string& state);

// For a command whose user names the registries. Errors: as above; invalid_argument.
Result<std::unique_ptr<oci::Registries>> open_registries(const RegistryArguments& arguments);

}  // namespace carrel::cli
