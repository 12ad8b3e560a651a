// carrel dev: serves one app to the person who writes it, and follows what they change.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"
#include "cli/serve_options.h"
#include "cli/terminal.h"
#include "server/server.h"

namespace carrel::cli {
namespace {

int serve(const ServeArguments& arguments) {
  auto options = server_options(arguments, server::Style::development);
  if (!options) return report(options.error());
  if (auto served = server::run_server(std::move(*options)); !served) return report(served.error());
  return kOk;
}

Run add(CLI::App& app) {
  auto arguments = std::make_shared<ServeArguments>();
  arguments->drain = "2s";
  app.add_option("FOLDER", arguments->apps)->expected(0, 1);
  add_listen_options(app, *arguments);
  add_module_options(app, *arguments);
  add_egress_options(app, arguments->egress);
  add_source_options(app, arguments->registry);
  return [arguments] {
    if (arguments->apps.empty()) arguments->apps.emplace_back(".");
    return serve(*arguments);
  };
}

}  // namespace

extern const Command kDev;
const Command kDev{
    .name = "dev",
    .group = Group::develop,
    .summary = "Serve an app while you write it, with live reload",
    .usage = "[FOLDER] [--port PORT]",
    .details =
        "FOLDER holds carrel.toml; without it, the current folder.\n"
        "When a file of the app changes, it is loaded again at once; if that fails, the app as it was stays\n"
        "up and the error is shown. Each request and what functions write to standard error is shown as well.\n"
        "Ctrl-C stops.",
    .examples =
        "carrel dev .\n"
        "carrel dev examples/shop --port 8080\n",
    .add = add,
};

}  // namespace carrel::cli
