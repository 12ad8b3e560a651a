// carrel completion: a script for the shell, made from the command table.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/problems.h"
#include "cli/help_text.h"
#include "cli/terminal.h"

namespace carrel::cli {
namespace {

struct Row {
  const Command* command;
  std::vector<OptionRow> options;
};

std::vector<Row> rows() {
  std::vector<Row> all;
  for (const Command* command : all_commands()) {
    if (command->group == Group::hidden) continue;
    CLI::App app;
    app.set_help_flag("-h,--help", "Show this text");
    (void)command->add(app);
    all.push_back({.command = command, .options = option_rows(app)});
  }
  return all;
}

// The words of "-h, --help".
std::vector<std::string> words_of(const std::string& names) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t end = std::min(names.find(", ", at), names.size());
    words.push_back(names.substr(at, end - at));
    at = end + 2;
  }
  return words;
}

std::string all_names(const std::vector<Row>& rows) {
  std::string names;
  for (const Row& row : rows)
    names += fmt::format("{}{}", names.empty() ? "" : " ", row.command->name);
  return names;
}

std::string all_options(const Row& row) {
  std::string words;
  for (const OptionRow& option : row.options) {
    for (const std::string& word : words_of(option.names))
      words += (words.empty() ? "" : " ") + word;
  }
  return words;
}

std::string bash_script(const std::vector<Row>& rows) {
  std::string cases;
  for (const Row& row : rows) {
    cases += fmt::format("    {}) words='{}' ;;\n", row.command->name, all_options(row));
  }
  return fmt::format(
      "# bash completion for carrel: eval \"$(carrel completion bash)\"\n"
      "_carrel() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} words=\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W '{0}' -- \"$word\")\n"
      "    return\n"
      "  fi\n"
      "  case ${{COMP_WORDS[1]}} in\n"
      "{1}"
      "  esac\n"
      "  case ${{COMP_WORDS[1]}}:$word in\n"
      "    help:*) mapfile -t COMPREPLY < <(compgen -W '{0}' -- \"$word\") ;;\n"
      "    completion:[!-]* | completion:) mapfile -t COMPREPLY < <(compgen -W 'bash zsh fish' -- \"$word\") ;;\n"
      "    *:-*) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\") ;;\n"
      "  esac\n"
      "}}\n"
      "complete -o default -F _carrel carrel\n",
      all_names(rows), cases);
}

// For zsh's _describe and _arguments: ' ends the quotes, ':' the name, brackets the text.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, text.find('\n'))) {
    if (c == '\'') {
      out += "'\\''";
    } else if (c == '[' || c == ']' || c == ':' || c == '\\') {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

std::string zsh_script(const std::vector<Row>& rows) {
  std::string names;
  std::string cases;
  for (const Row& row : rows) {
    names += fmt::format("    '{}:{}'\n", row.command->name, zsh_text(row.command->summary));
    cases += fmt::format("    {}) _arguments", row.command->name);
    for (const OptionRow& option : row.options) {
      for (const std::string& word : words_of(option.names)) {
        cases += fmt::format(" \\\n      '*{}{}[{}]{}'", word,
                             option.value.empty() || !word.starts_with("--") ? "" : "=",
                             zsh_text(option.text),
                             option.value.empty() ? "" : ":" + zsh_text(option.value) + ":_files");
      }
    }
    cases += " \\\n      '*:file:_files' ;;\n";
  }
  return fmt::format(
      "#compdef carrel\n"
      "# zsh completion for carrel: eval \"$(carrel completion zsh)\"\n"
      "_carrel() {{\n"
      "  local -a commands\n"
      "  commands=(\n{}  )\n"
      "  if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
      "  local command=$words[2]\n"
      "  shift words; (( CURRENT-- ))\n"
      "  case $command in\n{}"
      "  esac\n"
      "}}\n"
      "compdef _carrel carrel\n",
      names, cases);
}

std::string fish_text(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, text.find('\n'))) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string fish_script(const std::vector<Row>& rows) {
  std::string text = "# fish completion for carrel: carrel completion fish | source\n";
  for (const Row& row : rows) {
    text += fmt::format("complete -c carrel -n __fish_use_subcommand -f -a {} -d '{}'\n",
                        row.command->name, fish_text(row.command->summary));
    for (const OptionRow& option : row.options) {
      text +=
          fmt::format("complete -c carrel -n '__fish_seen_subcommand_from {}'", row.command->name);
      for (const std::string& word : words_of(option.names)) {
        text += word.starts_with("--") ? " -l " + word.substr(2) : " -s " + word.substr(1);
      }
      text +=
          fmt::format("{} -d '{}'\n", option.value.empty() ? "" : " -r", fish_text(option.text));
    }
  }
  return text;
}

int show(const std::string& shell) {
  if (shell == "bash") {
    print(bash_script(rows()));
  } else if (shell == "zsh") {
    print(zsh_script(rows()));
  } else if (shell == "fish") {
    print(fish_script(rows()));
  } else {
    return report_usage("completion",
                        fmt::format("no script for the shell {}", app::in_quotes(shell)),
                        "bash, zsh and fish are supported");
  }
  return kOk;
}

Run add(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  app.add_option("SHELL", *shell)->required();
  return [shell] { return show(*shell); };
}

}  // namespace

extern const Command kCompletion;
const Command kCompletion{
    .name = "completion",
    .group = Group::look,
    .summary = "Print a completion script for a shell",
    .usage = "bash|zsh|fish",
    .details = "",
    .examples =
        "eval \"$(carrel completion bash)\"                                 # this shell\n"
        "carrel completion bash > /etc/bash_completion.d/carrel           # every shell\n"
        "carrel completion fish > ~/.config/fish/completions/carrel.fish\n",
    .add = add,
};

}  // namespace carrel::cli
