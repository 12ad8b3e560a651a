// A command of the program: a row of the command table.
//
// Each command is one file here that defines one `Command`. Its `add` declares the options on a
// CLI11 application and returns what runs once they have been parsed. Help, completion and the
// reference page are made from these rows, so a command is described in one place only.
#pragma once

#include <functional>
#include <span>
#include <string_view>

namespace CLI {
class App;
}

namespace carrel::cli {

// Exit statuses. `run` passes on its guest's instead.
inline constexpr int kOk = 0;
inline constexpr int kFailure = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNotFound = 3;  // of what an app keeps

// Does the work; gives the exit status. What it captured at `add` holds the parsed options.
using Run = std::move_only_function<int()>;

enum class Group : unsigned char { develop, serve, registry, look, hidden };

// Texts are literals. Immutable.
struct Command {
  std::string_view name;
  Group group;
  std::string_view summary;   // one line, without a full stop
  std::string_view usage;     // what follows "carrel NAME"
  std::string_view details;   // paragraphs below the usage; may be empty
  std::string_view examples;  // one a line: "command   # what it does"
  Run (*add)(CLI::App& app);
};

// Every command, in the order in which help shows them.
std::span<const Command* const> all_commands();

// The command called `name`, or null.
const Command* find_command(std::string_view name);

}  // namespace carrel::cli
