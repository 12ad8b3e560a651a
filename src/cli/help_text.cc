#include "cli/help_text.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace carrel::cli {
namespace {

constexpr Group kShown[] = {Group::develop, Group::serve, Group::registry, Group::look};

std::string_view title_of(Group group) {
  switch (group) {
    case Group::develop:
      return "Write and try";
    case Group::serve:
      return "Serve";
    case Group::registry:
      return "Keep modules in registries";
    case Group::look:
      return "Look and understand";
    case Group::hidden:
      return "";
  }
  return "";
}

std::string joined_names(const CLI::Option& option) {
  std::string names;
  for (const std::string& name : option.get_snames()) names += (names.empty() ? "-" : ", -") + name;
  for (const std::string& name : option.get_lnames())
    names += (names.empty() ? "--" : ", --") + name;
  return names;
}

// Each line of a text behind an indent.
std::string indented(std::string_view text, std::string_view indent) {
  std::string out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (!line.empty()) out += indent;
    out += line;
    out += '\n';
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return out;
}

// A description may have several lines: the following ones stand below the first.
std::string options_text(const CLI::App& app) {
  std::string text;
  for (const OptionRow& row : option_rows(app)) {
    const std::string left = row.value.empty() ? row.names : row.names + " " + row.value;
    const std::string below = indented(row.text, std::string(28, ' '));
    if (left.size() > 24) {
      text += fmt::format("  {}\n{}", left, below);
    } else {
      text += fmt::format("  {:<26}{}", left, below.substr(28));
    }
  }
  return text;
}

std::string usage_line(const Command& command) {
  return fmt::format("carrel {}{}{}", command.name, command.usage.empty() ? "" : " ",
                     command.usage);
}

std::string reference_of(const Command& command) {
  CLI::App app;
  app.set_help_flag("-h,--help", "Show this text");
  (void)command.add(app);
  std::string page = fmt::format("## carrel {}\n\n{}.\n\n    {}\n\n", command.name, command.summary,
                                 usage_line(command));
  if (!command.details.empty()) page += fmt::format("{}\n\n", command.details);
  page += fmt::format("```text\n{}```\n\n", options_text(app));
  if (!command.examples.empty())
    page += fmt::format("Examples:\n\n{}\n", indented(command.examples, "    "));
  return page;
}

}  // namespace

std::vector<OptionRow> option_rows(const CLI::App& app) {
  std::vector<OptionRow> rows;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() && !option->nonpositional()) continue;
    if (option->get_group().empty()) continue;
    rows.push_back(
        {.names = joined_names(*option),
         .value = option->get_expected_max() == 0 ? std::string() : option->get_type_name(),
         .text = option->get_description()});
  }
  return rows;
}

std::string overview_text() {
  std::string text =
      "Carrel runs WebAssembly: functions over HTTP, and command modules from the shell.\n\n"
      "usage: carrel COMMAND [OPTIONS]\n";
  for (const Group group : kShown) {
    std::string rows;
    for (const Command* command : all_commands()) {
      if (command->group == group)
        rows += fmt::format("  {:<12}{}\n", command->name, command->summary);
    }
    if (!rows.empty()) text += fmt::format("\n{}:\n{}", title_of(group), rows);
  }
  text +=
      "\nFirst steps:\n"
      "  carrel new hello --template c    # a function with its tests, ready to build\n"
      "  carrel dev hello                 # serve it while you change it\n"
      "  carrel help COMMAND              # options and examples\n";
  return text;
}

std::string help_text(const Command& command, const CLI::App& app) {
  std::string text = fmt::format("{}.\n\nusage: {}\n", command.summary, usage_line(command));
  if (!command.details.empty()) text += fmt::format("\n{}\n", command.details);
  text += fmt::format("\noptions:\n{}", options_text(app));
  if (!command.examples.empty())
    text += fmt::format("\nexamples:\n{}", indented(command.examples, "  "));
  return text;
}

std::string reference_page() {
  std::string page =
      "# The command line\n\n"
      "Written by `carrel help --markdown`; a test holds this page to the program.\n\n"
      "Exit statuses: 0 success, 1 failure, 2 wrong use, 3 no value, counter or secret of that name. `carrel run` passes on its guest's status instead.\n"
      "Results go to standard output, everything else to standard error; colours only on a terminal and\n"
      "without `NO_COLOR`.\n\n";
  for (const Command* command : all_commands()) {
    if (command->group != Group::hidden) page += reference_of(*command);
  }
  page.pop_back();
  return page;
}

}  // namespace carrel::cli
