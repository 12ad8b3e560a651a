// carrel check: whether a server's configuration, or an app's manifest, is right; changes nothing.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/manifest.h"
#include "app/wagi.h"
#include "cli/command.h"
#include "cli/kept.h"
#include "cli/serve_config.h"
#include "cli/serve_options.h"
#include "cli/terminal.h"
#include "net/server.h"

namespace carrel::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> paths;
  bool json = false;
};

Result<void> check_app(const fs::path& path, server::ManifestKind kind) {
  const auto manifest =
      kind == server::ManifestKind::wagi ? app::load_wagi(path) : app::load_manifest(path);
  if (!manifest) return std::unexpected(manifest.error());
  return {};
}

Result<void> check_config(const app::TomlValue& root, const fs::path& file) {
  CLI::App app;
  ServeArguments arguments;
  add_serve_options(app, arguments);
  CARREL_TRY_VOID(apply_config(root, file, app, {}));
  CARREL_TRY(const auto options, check_options(arguments, server::Style::production));
  if (options.tls) {
    CARREL_TRY(const auto tls, net::load_tls(*options.tls));
  }
  for (const server::AppSource& source : options.apps)
    CARREL_TRY_VOID(check_app(source.path, source.kind));
  return {};
}

Result<void> check(const fs::path& path) {
  std::error_code none;
  if (fs::is_directory(path, none) || path.filename() == "carrel.toml")
    return check_app(path, server::ManifestKind::carrel);
  CARREL_TRY(const std::string text, app::read_small_file(path));
  CARREL_TRY(const auto root, app::parse_toml(text, path.native()));
  if (is_wagi(root)) return check_app(path, server::ManifestKind::wagi);
  return check_config(root, path);
}

int check_all(const Options& options) {
  int status = kOk;
  for (const std::string& path : options.paths) {
    const auto checked = check(path);
    if (!checked) status = kFailure;
    if (options.json) {
      nlohmann::json line = {{"path", path}, {"ok", checked.has_value()}};
      if (!checked) line["problems"] = checked.error().message();
      if (!write_json(line)) return kFailure;
    } else if (!checked) {
      (void)report(checked.error());
    } else {
      print(fmt::format("{} is right\n", path));
    }
  }
  return status;
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("PATH", options->paths)->required();
  app.add_flag("--json", options->json, "As JSON, a line for each PATH");
  return [options] { return check_all(*options); };
}

}  // namespace

extern const Command kCheck;
const Command kCheck{
    .name = "check",
    .group = Group::look,
    .summary = "Check a server's configuration or an app's manifest",
    .usage = "PATH...",
    .details =
        "PATH is an app's folder, a carrel.toml, a modules.toml of wagi, or a carreld.toml for\n"
        "`carrel serve --config`. Everything that is wrong is said, with its place. Of a carreld.toml the\n"
        "apps and certificates that it names are checked as well. Modules are not compiled; a deployment\n"
        "and the start of a server do that. Exit status 1: something is wrong.",
    .examples =
        "carrel check shop\n"
        "carrel check /etc/carrel/carreld.toml\n",
    .add = add,
};

}  // namespace carrel::cli
