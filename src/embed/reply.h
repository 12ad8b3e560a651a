// What a call of a point came to.
#pragma once

#include <string>
#include <vector>

#include "patterns/hook/invoker.h"

namespace carrel::embed {

// Value type.
struct Reply {
  std::string output;           // JSON
  std::vector<hook::Run> runs;  // of a call in this process
  std::string details;          // JSON; empty: what `runs` say
};

}  // namespace carrel::embed
