// From arguments to an exit status: finds the command, parses its options, runs it.
//
// A mistyped command or option is answered with the nearest known one and exit status 2.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"

namespace carrel::cli {

// `arguments` without the program's name.
int run_program(std::vector<std::string> arguments);

}  // namespace carrel::cli
