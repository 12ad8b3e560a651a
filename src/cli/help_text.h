// Help, made from the command table and the options that CLI11 knows.
#pragma once

#include <string>

#include "cli/command.h"

namespace carrel::cli {

std::string overview_text();
std::string help_text(const Command& command, const CLI::App& app);
std::string reference_page();  // docs/reference/cli.md

// The options of a command, in the order in which they were declared; positional arguments left
// out.
struct OptionRow {
  std::string names;  // "-h, --help"
  std::string value;  // "NAME=VALUE", or empty for a flag
  std::string text;
};
std::vector<OptionRow> option_rows(const CLI::App& app);

}  // namespace carrel::cli
