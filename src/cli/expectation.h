// Holds a turn's result to what a case expects, and explains every difference.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/case.h"
#include "app/case_state.h"
#include "cli/turn_bench.h"
#include "cli/turn_store.h"

namespace carrel::cli {

// One text a difference, of one or more lines; none: it is as expected.
std::vector<std::string> differences(const app::CaseExpectation& expected,
                                     const TurnResult& result);

// The same for what the turn left in the store.
std::vector<std::string> differences(const app::CaseEffects& expected, const FoundState& found);

// Both texts line by line from the first that differs: "- expected", "+ found". Empty when they are
// equal.
std::string line_difference(std::string_view expected, std::string_view found);

}  // namespace carrel::cli
