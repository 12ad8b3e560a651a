// Asks for an object's lines of the cache at once, before they are needed one after the other.
//
// For what is met once in thousands of requests, such as an app among ten thousand: each line is
// then a walk to memory of a hundred nanoseconds.
#pragma once

#include <cstddef>

namespace carrel {

template <typename T>
void prefetch(const T& object) {
  constexpr std::size_t kLine = 64;
  for (std::size_t at = 0; at < sizeof(T); at += kLine)
    __builtin_prefetch(reinterpret_cast<const char*>(&object) + at);
}

}  // namespace carrel
