// What the program prints: results on standard output, everything else on standard error.
//
// Colours only on a terminal, and never with NO_COLOR set.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace carrel::cli {

void print(std::string_view text);        // standard output
void print_error(std::string_view text);  // standard error

enum class Stream : unsigned char { output, error };
bool is_terminal(Stream stream);

// Lines that others chose: on a terminal, what would steer it becomes visible ("\x1b"). Elsewhere,
// and for programs that read it, the bytes as they are.
std::string shown_lines(Stream stream, std::string_view text);
// The same for a name, which is one line: so are line ends in it.
std::string shown_name(Stream stream, std::string_view name);

// "carrel: cannot ...\n  help     ..."; the exit status of a failure, or of wrong use for
// invalid_argument.
int report(const Error& error);

// The same for wrong use of a command (empty: of the program); the exit status of that.
int report_usage(std::string_view command, std::string_view what, std::string_view help);
int unknown_option(std::string_view command, std::string_view word,
                   const std::vector<std::string>& known);

enum class Colour : unsigned char { plain, red, green, yellow, bold };

// Value type: knows whether its stream takes colours.
class Palette {
 public:
  explicit Palette(Stream stream);
  std::string paint(Colour colour, std::string_view text) const;

 private:
  bool on_;
};

}  // namespace carrel::cli
