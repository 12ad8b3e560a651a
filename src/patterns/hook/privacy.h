// Privacy: what a point lets its customers see of what their bindings were given.
//
// It holds when something is kept, and again when it is shown: a point may have become more private
// meanwhile. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "patterns/hook/point.h"
#include "patterns/hook/recordings.h"

namespace carrel::hook {

// Value type. Made of nothing: nothing is seen.
struct Privacy {
  app::Record record = app::Record::none;
  std::vector<std::string> hidden = {};  // places (mask.h)
  bool in_answers = false;               // they are made of the input, and hide the same
};
Privacy privacy_of(const Point& point);
// What both let be seen.
Privacy stricter(Privacy one, const Privacy& other);

// The recording as it may be seen; nothing: it may not. A document that is too large to be kept is
// empty.
std::optional<Recording> seen(const Privacy& privacy, Recording recording);

}  // namespace carrel::hook
