// Where two JSON documents differ. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace carrel::hook {

struct Difference {
  std::string at;           // a JSON pointer; empty: the whole
  std::string left, right;  // what is there, as JSON, its beginning; empty: nothing is
};

// At most `most`, in order. Numbers are compared by value: 1 is 1.0. Text that is no JSON, or none,
// is a difference of the whole unless the other is the same text.
std::vector<Difference> differences(std::string_view left, std::string_view right,
                                    std::size_t most);

}  // namespace carrel::hook
