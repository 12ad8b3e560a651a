// carrel push: a module from a file into a registry.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "cli/command.h"
#include "cli/registry_options.h"
#include "cli/terminal.h"
#include "wasm/module.h"

namespace carrel::cli {
namespace {

struct Options {
  std::string file, reference;
  std::string layout = "cncf";
  RegistryArguments registry;
  bool json = false;
};

// SOURCE_DATE_EPOCH, so that the same module makes the same image again; else now.
Result<WallTime> created_at() {
  const char* text = std::getenv("SOURCE_DATE_EPOCH");
  if (text == nullptr || *text == '\0') return system_clock().wall();
  const std::string_view digits(text);
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return fail(Code::invalid_argument, "SOURCE_DATE_EPOCH is no number of seconds", "unset it");
  }
  return WallTime(std::chrono::seconds(seconds));
}

Result<void> check_kind(const Options& options, wasm::Binary kind) {
  if (kind == wasm::Binary::core_module || kind == wasm::Binary::component) return {};
  const bool text = kind == wasm::Binary::text;
  return fail(
      Code::invalid_module,
      fmt::format("{} is {}", options.file,
                  text ? "WebAssembly text, and registries hold binaries" : "not WebAssembly"),
      text ? "compile it with `wasm-tools parse` or `wat2wasm`"
           : "`carrel inspect FILE` says what a file is");
}

Result<void> push(const Options& options) {
  CARREL_TRY(const oci::Reference reference, oci::parse_reference(options.reference));
  if (!reference.digest.empty()) {
    return fail(Code::invalid_argument, "a module is pushed to a tag, not to a digest",
                "leave @sha256:... out");
  }
  oci::Pushed pushed;
  CARREL_TRY(pushed.layout, oci::parse_layout(options.layout));
  CARREL_TRY(pushed.created, created_at());
  CARREL_TRY(pushed.bytes, read_file(options.file, oci::kMaxModule));
  const wasm::Binary kind =
      wasm::binary_kind(std::as_bytes(std::span(pushed.bytes.data(), pushed.bytes.size())));
  CARREL_TRY_VOID(check_kind(options, kind));
  pushed.component = kind == wasm::Binary::component;
  const std::string module = oci::digest_of(pushed.bytes);
  CARREL_TRY(const auto registries, open_registries(options.registry));
  CARREL_TRY(const std::string digest, registries->push(reference, std::move(pushed)));
  const std::string pinned = reference.with_digest(digest).text();
  if (options.json) {
    const nlohmann::ordered_json json{{"reference", pinned}, {"image", digest}, {"module", module}};
    print(json.dump(2) + "\n");
  } else {
    print(pinned + "\n");
  }
  return {};
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("FILE", options->file)->required();
  app.add_option("REF", options->reference)->required();
  app.add_option("--layout", options->layout,
                 "cncf, kubewarden or istio: the types its readers look for (default: cncf)")
      ->type_name("LAYOUT");
  add_registry_options(app, options->registry);
  app.add_flag("--json", options->json, "As JSON");
  return [options] {
    const auto done = push(*options);
    if (!done) return report(Error(done.error()).within("cannot push"));
    return kOk;
  };
}

}  // namespace

extern const Command kPush;
const Command kPush{
    .name = "push",
    .group = Group::registry,
    .summary = "Put a module into an OCI registry",
    .usage = "FILE REF [OPTIONS]",
    .details =
        "REF is oci://HOST[:PORT]/NAME:TAG; it is printed with the digest to pin it by. Layouts: cncf for\n"
        "wkg, wasmCloud, Spin, containerd and Carrel; kubewarden and istio for those, and for registries\n"
        "that refuse cncf's types. With SOURCE_DATE_EPOCH set, the same module makes the same image.",
    .examples =
        "carrel push price.wasm ghcr.io/acme/price:1.0\n"
        "carrel push policy.wasm localhost:5000/policy:1.0 --layout kubewarden\n",
    .add = add,
};

}  // namespace carrel::cli
