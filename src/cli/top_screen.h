// How `carrel top` looks: lines of text for a terminal of some size.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/node_figures.h"

namespace carrel::cli {

struct ScreenSize {
  std::size_t columns = 80, rows = 24;
};

// As many lines as fit, none longer than fits. Names do not steer the terminal. Pure.
std::vector<std::string> screen_of(const NodeFigures& figures, std::string_view url,
                                   ScreenSize size);

// One write for the whole picture, over the one before: nothing flickers.
std::string frame_of(const std::vector<std::string>& lines);

}  // namespace carrel::cli
