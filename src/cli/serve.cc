// carrel serve: serves apps, or an unchanged modules.toml of wagi.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"
#include "cli/serve_options.h"
#include "cli/terminal.h"
#include "server/server.h"

namespace carrel::cli {
namespace {

int serve(const ServeArguments& arguments) {
  auto options = server_options(arguments, server::Style::production);
  if (!options) return report(options.error());
  if (auto served = server::run_server(*options); !served) return report(served.error());
  return kOk;
}

Run add(CLI::App& app) {
  auto arguments = std::make_shared<ServeArguments>();
  app.add_option("FOLDER", arguments->apps);
  app.add_option("-c,--config,--modules", arguments->modules, "Serve a modules.toml of wagi")
      ->type_name("FILE");
  add_listen_options(app, *arguments);
  add_module_options(app, *arguments);
  add_egress_options(app, arguments->egress);
  add_source_options(app, arguments->registry);
  add_operation_options(app, *arguments);
  return [arguments] { return serve(*arguments); };
}

}  // namespace

extern const Command kServe;
const Command kServe{
    .name = "serve",
    .group = Group::serve,
    .summary = "Serve apps over HTTP",
    .usage = "FOLDER... | --modules FILE",
    .details =
        "Each FOLDER holds a carrel.toml. One app answers to every host name; several answer to\n"
        "APP.localhost and to the names given with --host.\n"
        "SIGTERM stops it once requests in progress have been answered, SIGHUP loads the apps again and\n"
        "opens the logs again. The /v1 API has a listener and a token of its own.",
    .examples =
        "carrel serve shop\n"
        "carrel serve shop blog --host shop=shop.example.com\n"
        "carrel serve --modules modules.toml --listen 0.0.0.0:8080\n"
        "carrel serve shop --tls-cert chain.pem --tls-key key.pem --access-log -\n",
    .add = add,
};

}  // namespace carrel::cli
