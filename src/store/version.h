// A version: the number of a commit in this process. The store at a version is what all commits up
// to it have made.
#pragma once

#include <cstdint>

namespace carrel::store {

// Grows by one a batch of commits; starts anew with the process. 0: the store as it was opened.
enum class Version : std::uint64_t {};

inline constexpr Version kNoVersion{0};

}  // namespace carrel::store
