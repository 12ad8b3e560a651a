// carrel pull: a module from a registry into a file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/oci/new_file.h"
#include "cli/command.h"
#include "cli/registry_options.h"
#include "cli/terminal.h"

namespace carrel::cli {
namespace {
namespace fs = std::filesystem;

struct Options {
  std::string reference, output, layer;
  RegistryArguments registry;
  bool json = false;
};

// The name's last part, beside nothing that is there already.
Result<fs::path> place_of(const Options& options, const oci::Reference& reference) {
  if (!options.output.empty()) return fs::path(options.output);
  const std::string& name = reference.repository;
  fs::path place = name.substr(name.rfind('/') + 1) + ".wasm";
  std::error_code ignored;
  if (!fs::exists(place, ignored)) return place;
  return fail(Code::already_exists, fmt::format("{} is there already", place.string()),
              fmt::format("replace it with -o {}, or name another file", place.string()));
}

Result<void> pull(const Options& options) {
  CARREL_TRY(const oci::Reference reference, oci::parse_reference(options.reference));
  if (!options.layer.empty() && !oci::is_digest(options.layer)) {
    return fail(Code::invalid_argument, "--layer is no digest",
                "sha256: and 64 hexadecimal digits, as the error that lists the layers shows them");
  }
  CARREL_TRY(const fs::path place, place_of(options, reference));
  CARREL_TRY(const auto registries, open_registries(options.registry));
  CARREL_TRY(oci::NewFile file, oci::NewFile::make(place));
  CARREL_TRY(const oci::Pulled pulled, registries->pull(reference, options.layer, file));
  CARREL_TRY_VOID(file.keep());
  const std::string pinned = reference.with_digest(pulled.image).text();
  if (options.json) {
    const nlohmann::ordered_json json{{"file", place.string()},  {"reference", pinned},
                                      {"image", pulled.image},   {"manifest", pulled.manifest},
                                      {"module", pulled.module}, {"media_type", pulled.media_type},
                                      {"bytes", pulled.size}};
    print(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
    return {};
  }
  print(
      fmt::format("{}\n  {}  {} bytes, {}\n", pinned, place.string(), pulled.size, pulled.module));
  return {};
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("REF", options->reference)->required();
  app.add_option("-o,--output", options->output,
                 "The file (default: the name's last part and .wasm)")
      ->type_name("FILE");
  app.add_option("--layer", options->layer, "Of an image with several modules, this one")
      ->type_name("DIGEST");
  add_registry_options(app, options->registry);
  app.add_flag("--json", options->json, "As JSON");
  return [options] {
    const auto done = pull(*options);
    if (!done) return report(Error(done.error()).within("cannot pull"));
    return kOk;
  };
}

}  // namespace

extern const Command kPull;
const Command kPull{
    .name = "pull",
    .group = Group::registry,
    .summary = "Fetch a module from an OCI registry",
    .usage = "REF [-o FILE] [OPTIONS]",
    .details =
        "REF is oci://HOST[:PORT]/NAME with :TAG or @sha256:DIGEST; the scheme may be left out.\n"
        "What arrives is checked against its digests, and REF is printed with the one to pin it by.\n"
        "Reads what wkg, wasmCloud, Spin, Kubewarden, Istio and `docker build` publish.",
    .examples =
        "carrel pull ghcr.io/acme/price:1.0\n"
        "carrel pull localhost:5000/price:1.0 -o modules/price.wasm\n",
    .add = add,
};

}  // namespace carrel::cli
