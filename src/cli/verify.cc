// carrel verify: whether an image in a registry is signed by a key that is trusted.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/registry_options.h"
#include "cli/terminal.h"

namespace carrel::cli {
namespace {

struct Options {
  std::string reference;
  std::vector<std::string> keys;
  RegistryArguments registry;
  bool json = false;
};

Result<void> verify(const Options& options) {
  CARREL_TRY(const oci::Reference reference, oci::parse_reference(options.reference));
  CARREL_TRY(const auto keys, read_public_keys(options.keys));
  CARREL_TRY(const auto registries, open_registries(options.registry));
  CARREL_TRY(const oci::Verified done, registries->verify(reference, keys));
  const std::string pinned = reference.with_digest(done.image).text();
  if (options.json) {
    const nlohmann::ordered_json json{
        {"reference", pinned}, {"image", done.image}, {"keys", done.key_ids}};
    print(json.dump(2) + "\n");
    return {};
  }
  print(pinned + "\n");
  for (const std::string& id : done.key_ids) print(fmt::format("  signed by key {}\n", id));
  return {};
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("REF", options->reference)->required();
  app.add_option("--key", options->keys, "A public key that is trusted (PEM); may be repeated")
      ->required()
      ->type_name("FILE")
      ->allow_extra_args(false);
  add_registry_options(app, options->registry);
  app.add_flag("--json", options->json, "As JSON");
  return [options] {
    const auto done = verify(*options);
    if (!done) return report(Error(done.error()).within("cannot verify"));
    return kOk;
  };
}

}  // namespace

extern const Command kVerify;
const Command kVerify{
    .name = "verify",
    .group = Group::registry,
    .summary = "Check who has signed a module in an OCI registry",
    .usage = "REF --key FILE... [OPTIONS]",
    .details =
        "The exit status is 0 if one of the keys has signed what REF names now, and 1 otherwise. REF is\n"
        "printed with the digest that is signed. Reads signatures with keys as `carrel sign` and\n"
        "`cosign sign --key FILE --new-bundle-format=false` make them; no certificates, no bundles.",
    .examples =
        "carrel verify ghcr.io/acme/price:1.0 --key release.pub\n"
        "carrel verify ghcr.io/acme/price:1.0 --key alice.pub --key bob.pub\n",
    .add = add,
};

}  // namespace carrel::cli
