// The toolchains that build guests: which are there, and how to get the others.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace carrel::cli {

struct Toolchain {
  std::string_view language;  // a template's name
  std::string_view label;     // "C"
  std::string_view get;       // what to do to have it
};

std::span<const Toolchain> toolchains();

struct Found {
  bool usable = false;
  std::string what;  // the tool that was found, or what is missing
};

// Looks at PATH and the variables that the templates' build scripts read; runs `rustc` for its
// targets.
Found look_for(const Toolchain& toolchain);

}  // namespace carrel::cli
