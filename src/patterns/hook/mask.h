// What is private in a document, hidden before anybody keeps it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace carrel::hook {

// `document` with what stands at `places` (JSON pointers in which "*" is each element of an array)
// replaced by something of its kind: "***", 0, false, [] or {}. Where the document is not as a
// place has it, all that stands there is hidden. "" is the whole. Text that is no JSON becomes
// null. Pure.
std::string masked(const std::vector<std::string>& places, std::string_view document);

}  // namespace carrel::hook
