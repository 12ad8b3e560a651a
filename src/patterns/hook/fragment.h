// Fragments of HTML in an answer: made safe before anybody looks at the answer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "document/schema.h"

namespace carrel::hook {

// Cleans the texts at `places`, JSON pointers in which "*" is each element of an array. Places that
// are not there are fine. Gives the problems; without any, `answer` (JSON that has been checked) is
// written anew. Pure.
std::vector<document::Problem> clean_fragments(const std::vector<std::string>& places,
                                               std::string& answer);

}  // namespace carrel::hook
