// carrel version.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/terminal.h"

namespace carrel::cli {
namespace {

Run add(CLI::App& app) {
  auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "As JSON");
  return [json] {
    if (*json) {
      print(fmt::format("{{\"version\":\"{}\",\"compiler\":\"{}\"}}\n", CARREL_VERSION,
                        __clang_version__));
    } else {
      print(fmt::format("carrel {}\n", CARREL_VERSION));
    }
    return kOk;
  };
}

}  // namespace

extern const Command kVersion;
const Command kVersion{
    .name = "version",
    .group = Group::look,
    .summary = "Print the version",
    .usage = "[--json]",
    .details = "",
    .examples = "carrel version\ncarrel version --json\n",
    .add = add,
};

}  // namespace carrel::cli
