// Names of stored things as paths, and back: "carts/a/%/b" is the name "a//b" in the store "carts".
//
// Each segment of a name is percent-encoded by itself; an empty one is written "%". A segment that
// decodes to one with a "/" is refused, so that no two names share a path.
#pragma once

#include <string>
#include <string_view>

#include "wasi/errno.h"

namespace carrel::capability::state {

struct Location {
  std::string store;
  std::string name;     // empty: the store itself, or nothing of it
  bool inside = false;  // the path goes on after the store
};

// Where a path below a mount points. Errors: EINVAL for a bad encoding or an empty name,
// ENAMETOOLONG.
wasi::Io<Location> locate(std::string_view path);

// One segment of a name, as it is listed in its folder.
std::string encode_segment(std::string_view segment);

// The whole of a name, as a path below its store.
std::string path_of(std::string_view name);

}  // namespace carrel::capability::state
