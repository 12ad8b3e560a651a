#include "cli/program.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/problems.h"
#include "cli/help_text.h"
#include "cli/terminal.h"

namespace carrel::cli {
namespace {

int unknown_command(const std::string& word) {
  std::vector<std::string_view> names;
  for (const Command* command : all_commands()) {
    if (command->group != Group::hidden) names.push_back(command->name);
  }
  const std::string_view near = app::nearest(word, names);
  return report_usage("",
                      fmt::format("there is no command {}{}", app::in_quotes(word),
                                  near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)),
                      "carrel help lists the commands");
}

// The long names of the options, for suggestions.
std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

int unexpected(const Command& command, const CLI::App& app) {
  const std::vector<std::string> rest = app.remaining(true);
  const std::string word = rest.empty() ? std::string() : rest.front();
  if (!word.starts_with('-')) {
    return report_usage(command.name, fmt::format("unexpected argument {}", app::in_quotes(word)),
                        fmt::format("usage: carrel {} {}", command.name, command.usage));
  }
  return unknown_option(command.name, word, option_names(app));
}

int parse_and_run(const Command& command, std::vector<std::string> arguments) {
  CLI::App app{std::string(command.summary), "carrel " + std::string(command.name)};
  app.set_help_flag("-h,--help", "Show this text");
  Run run = command.add(app);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them last first
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    print(help_text(command, app));
    return kOk;
  } catch (const CLI::ExtrasError&) {
    return unexpected(command, app);
  } catch (const CLI::ParseError& error) {
    return report_usage(command.name, error.what(),
                        fmt::format("usage: carrel {} {}", command.name, command.usage));
  }
  return run();
}

}  // namespace

int unknown_option(std::string_view command, std::string_view word,
                   const std::vector<std::string>& known) {
  const std::string name(word.substr(0, word.find('=')));
  const std::vector<std::string_view> views(known.begin(), known.end());
  const std::string_view near = app::nearest(name, views);
  return report_usage(
      command,
      fmt::format("unknown option {}{}", app::in_quotes(name),
                  near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)),
      command.empty() ? "carrel help lists the commands" : fmt::format("carrel help {}", command));
}

int run_program(std::vector<std::string> arguments) {
  if (arguments.empty()) {
    print_error(overview_text());
    return kUsage;
  }
  std::string word = arguments.front();
  if (word == "-h" || word == "--help") word = "help";
  if (word == "-V" || word == "--version") word = "version";
  const Command* command = find_command(word);
  if (command == nullptr) {
    if (word.starts_with('-')) return unknown_option("", word, {"--help", "--version"});
    return unknown_command(word);
  }
  arguments.erase(arguments.begin());
  return parse_and_run(*command, std::move(arguments));
}

}  // namespace carrel::cli
