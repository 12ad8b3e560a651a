// carrel sign: signs an image in a registry, in cosign's layout.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "cli/command.h"
#include "cli/pipes.h"
#include "cli/registry_options.h"
#include "cli/terminal.h"

namespace carrel::cli {
namespace {

constexpr std::size_t kMostPassword = 4 << 10;

struct Options {
  std::string reference, key, password_file;
  RegistryArguments registry;
  bool json = false;
};

// Of the file, else cosign's variable, else asked for.
Result<SecretBytes> password_of(const Options& options) {
  if (!options.password_file.empty()) {
    CARREL_TRY(std::string text, read_file(options.password_file, kMostPassword));
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    return SecretBytes(std::string_view(text));
  }
  if (const char* text = std::getenv("COSIGN_PASSWORD")) {
    return SecretBytes(std::string_view(text));
  }
  return read_secret(fmt::format("password of {}: ", options.key), kMostPassword);
}

Result<oci::SigningKey> read_key(const Options& options) {
  CARREL_TRY(const std::string pem, read_file(options.key, oci::kMaxKeyFile));
  SecretBytes password;
  if (oci::SigningKey::is_encrypted(pem)) {
    CARREL_TRY(password, password_of(options));
  }
  auto key = oci::SigningKey::parse(pem, password.view());
  if (!key) return std::unexpected(std::move(key).error().within(options.key));
  return key;
}

Result<void> sign(const Options& options) {
  CARREL_TRY(const oci::Reference reference, oci::parse_reference(options.reference));
  CARREL_TRY(const oci::SigningKey key, read_key(options));
  CARREL_TRY(const auto registries, open_registries(options.registry));
  CARREL_TRY(const oci::Verified done, registries->sign(reference, key));
  const std::string pinned = reference.with_digest(done.image).text();
  if (options.json) {
    const nlohmann::ordered_json json{
        {"reference", pinned}, {"image", done.image}, {"key", done.key_ids.front()}};
    print(json.dump(2) + "\n");
  } else {
    print(fmt::format("{}\n  signed by key {}\n", pinned, done.key_ids.front()));
  }
  return {};
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("REF", options->reference)->required();
  app.add_option("--key", options->key, "The private key: PEM, or cosign's own")
      ->required()
      ->type_name("FILE");
  app.add_option("--password-file", options->password_file,
                 "The key's password (default: COSIGN_PASSWORD, else it is asked for)")
      ->type_name("FILE");
  add_registry_options(app, options->registry);
  app.add_flag("--json", options->json, "As JSON");
  return [options] {
    const auto done = sign(*options);
    if (!done) return report(Error(done.error()).within("cannot sign"));
    return kOk;
  };
}

}  // namespace

extern const Command kSign;
const Command kSign{
    .name = "sign",
    .group = Group::registry,
    .summary = "Sign a module in an OCI registry",
    .usage = "REF --key FILE [OPTIONS]",
    .details =
        "Signs what REF names now with ECDSA P-256, and puts the signature beside it, in cosign's layout\n"
        "(the tag sha256-DIGEST.sig). Keys: `openssl genpkey -algorithm EC -pkeyopt\n"
        "ec_paramgen_curve:P-256` or `cosign generate-key-pair` make them.",
    .examples =
        "carrel sign ghcr.io/acme/price:1.0 --key release.pem\n"
        "carrel sign ghcr.io/acme/price:1.0 --key cosign.key --password-file password\n",
    .add = add,
};

}  // namespace carrel::cli
