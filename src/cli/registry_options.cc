#include "cli/registry_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "app/fetch_sources.h"
#include "base/files.h"
#include "cli/state_folder.h"
#include "net/egress_policy.h"
#include "server/faults.h"

namespace carrel::cli {
namespace fs = std::filesystem;
namespace {

// Empty: nothing says where it would be.
fs::path usual_config() {
  if (const char* folder = std::getenv("DOCKER_CONFIG"); folder != nullptr && *folder != '\0') {
    return fs::path(folder) / "config.json";
  }
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? fs::path() : fs::path(home) / ".docker/config.json";
}

void add_login_options(CLI::App& app, RegistryArguments& arguments) {
  app.add_option("--registry-config", arguments.config,
                 "Logins for registries, as `docker login` writes them\n"
                 "(default: $DOCKER_CONFIG/config.json, else ~/.docker/config.json)")
      ->type_name("FILE");
  app.add_option("--plain-http", arguments.plain_http,
                 "A registry without TLS, besides those on the loopback; may be repeated")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false);
}

Result<oci::RegistriesOptions> registries_options(const RegistryArguments& arguments) {
  oci::RegistriesOptions options{.named = oci::NamedHosts::anywhere,
                                 .ca_file = arguments.ca_file,
                                 .plain_http = arguments.plain_http};
  for (const std::string& text : arguments.allowed_egress) {
    auto range = net::parse_range(text);
    if (!range) return std::unexpected(std::move(range).error().within("--allow-egress"));
    options.policy.allowed.push_back(*range);
  }
  CARREL_TRY(options.credentials, read_credentials(arguments.config));
  return options;
}

}  // namespace

void add_source_options(CLI::App& app, RegistryArguments& arguments) {
  add_login_options(app, arguments);
  app.add_option("--signed-by", arguments.signed_by,
                 "Run a module from a registry only if this public key (PEM) has signed it;\n"
                 "may be repeated: one of them")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

void add_registry_options(CLI::App& app, RegistryArguments& arguments) {
  add_login_options(app, arguments);
  app.add_option("--ca-file", arguments.ca_file,
                 "Certificates that are believed (PEM; default: the system's)")
      ->type_name("FILE");
  app.add_option("--allow-egress", arguments.allowed_egress,
                 "Addresses that a registry may send us to though they are not public;\n"
                 "may be repeated")
      ->type_name("CIDR")
      ->allow_extra_args(false);
}

Result<oci::Credentials> read_credentials(const std::string& option) {
  const fs::path file = option.empty() ? usual_config() : fs::path(option);
  if (file.empty()) return oci::Credentials();
  auto text = read_file(file, oci::Credentials::kMostBytes);
  if (!text && option.empty() && text.error().code() == Code::not_found) return oci::Credentials();
  if (!text) return std::unexpected(std::move(text).error());
  auto credentials = oci::Credentials::parse(*text);
  if (!credentials) return std::unexpected(std::move(credentials).error().within(file.string()));
  return credentials;
}

Result<std::vector<oci::PublicKey>> read_public_keys(const std::vector<std::string>& files) {
  std::vector<oci::PublicKey> keys;
  for (const std::string& file : files) {
    CARREL_TRY(const std::string pem, read_file(file, oci::kMaxKeyFile));
    auto key = oci::PublicKey::parse(pem);
    if (!key) return std::unexpected(std::move(key).error().within(file));
    keys.push_back(std::move(*key));
  }
  return keys;
}

Result<app::Manifest> load_app(const fs::path& where, const RegistryArguments& arguments,
                               const std::string& state) {
  CARREL_TRY(app::Manifest manifest, app::load_manifest(where));
  const bool named = std::ranges::any_of(
      manifest.modules, [](const app::Module& module) { return module.image.has_value(); });
  if (!named) return manifest;
  oci::SourcesOptions options;
  CARREL_TRY(options.registries, registries_options(arguments));
  CARREL_TRY(options.signed_by, read_public_keys(arguments.signed_by));
  CARREL_TRY(const fs::path folder, open_state(state));
  options.cache = folder / "oci";
  oci::Sources sources(std::move(options));
  server::Faults faults(manifest.file);
  for (Error& error : app::fetch_sources(manifest, sources)) faults.add(std::move(error));
  if (!faults.empty()) return std::unexpected(faults.error());
  return manifest;
}

Result<std::unique_ptr<oci::Registries>> open_registries(const RegistryArguments& arguments) {
  CARREL_TRY(oci::RegistriesOptions options, registries_options(arguments));
  return oci::Registries::make(std::move(options));
}

}  // namespace carrel::cli
