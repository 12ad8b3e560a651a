// carrel serve: serves apps, or an unchanged modules.toml of wagi.
#include <CLI/CLI.hpp>
#include <memory>
#include <set>

#include "cli/command.h"
#include "cli/serve_config.h"
#include "cli/serve_options.h"
#include "cli/terminal.h"
#include "server/server.h"

namespace carrel::cli {
namespace {

// What was typed, which goes before what a file says.
struct Typed {
  ServeArguments arguments;
  std::set<std::string> given;  // keys
};

// With what --config names: a carreld.toml, or a modules.toml, as wagi has it.
Result<server::ServerOptions> read_options(const Typed& typed) {
  ServeArguments arguments = typed.arguments;
  if (!arguments.config.empty()) {
    CARREL_TRY(const std::string text, app::read_small_file(arguments.config));
    CARREL_TRY(const auto root, app::parse_toml(text, arguments.config));
    CLI::App app;
    add_serve_options(app, arguments);
    if (is_wagi(root)) {
      arguments.modules = arguments.config;
    } else {
      CARREL_TRY_VOID(apply_config(root, typed.arguments.config, app, typed.given));
    }
  }
  return server_options(arguments, server::Style::production);
}

int serve(const Typed& typed) {
  auto options = read_options(typed);
  if (!options) return report(options.error());
  options->read_again = [typed] { return read_options(typed); };
  if (auto served = server::run_server(std::move(*options)); !served) return report(served.error());
  return kOk;
}

Run add(CLI::App& app) {
  auto arguments = std::make_shared<ServeArguments>();
  add_serve_options(app, *arguments);
  return [arguments, &app] { return serve({*arguments, given_keys(app)}); };
}

}  // namespace

extern const Command kServe;
const Command kServe{
    .name = "serve",
    .group = Group::serve,
    .summary = "Serve apps over HTTP",
    .usage = "[FOLDER...] | --config FILE | --modules FILE",
    .details =
        "Each FOLDER holds a carrel.toml. One app answers to every host name; several answer to\n"
        "APP.localhost and to the names given with --host. Apps that were deployed (carrel help deploy) are\n"
        "served as well, under APP.TENANT.localhost; without a FOLDER, only those.\n"
        "SIGTERM stops it once requests in progress have been answered, SIGHUP loads the apps again and\n"
        "opens the logs again. The /v1 API has a listener and a token of its own.",
    .examples =
        "carrel serve shop\n"
        "carrel serve shop blog --host shop=shop.example.com\n"
        "carrel serve --config /etc/carrel/carreld.toml\n"
        "carrel serve --modules modules.toml --listen 0.0.0.0:8080\n"
        "carrel serve shop --tls-cert chain.pem --tls-key key.pem --access-log -\n",
    .add = add,
};

}  // namespace carrel::cli
