// Asks for lines of the cache at once, before they are needed one after the other.
//
// For what is met once in thousands of requests, such as an app among ten thousand: each line is
// then a walk to memory of a hundred nanoseconds.
#pragma once

#include <cstddef>

namespace carrel {

// Any address may be asked for, also where nothing is.
inline void prefetch(const void* address, std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  for (std::size_t at = 0; at < bytes; at += kLine)
    __builtin_prefetch(static_cast<const char*>(address) + at);
}

template <typename T>
void prefetch(const T& object) {
  prefetch(&object, sizeof(T));
}

}  // namespace carrel
