// carrel help: the overview, or one command's text.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/problems.h"
#include "cli/help_text.h"
#include "cli/program.h"
#include "cli/terminal.h"

namespace carrel::cli {
namespace {

struct Options {
  std::string topic;
  bool markdown = false;
};

int show(const Options& options) {
  if (options.markdown) {
    print(reference_page());
    return kOk;
  }
  if (options.topic.empty()) {
    print(overview_text());
    return kOk;
  }
  if (find_command(options.topic) == nullptr)
    return run_program({options.topic});  // says what is near
  return run_program({options.topic, "--help"});
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("COMMAND", options->topic);
  app.add_flag("--markdown", options->markdown, "Print the reference of all commands as Markdown");
  return [options] { return show(*options); };
}

}  // namespace

extern const Command kHelp;
const Command kHelp{
    .name = "help",
    .group = Group::look,
    .summary = "Show how a command is used",
    .usage = "[COMMAND]",
    .details = "",
    .examples = "carrel help\ncarrel help run\n",
    .add = add,
};

}  // namespace carrel::cli
