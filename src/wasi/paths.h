// From a path as a guest wrote it to the node that answers for it.
#pragma once

#include <string>
#include <string_view>

#include "wasi/tree.h"

namespace carrel::wasi {

inline constexpr std::size_t kMaxPath = 4096;  // bytes

// Value type. `node` lives as long as the tree.
struct Location {
  Node* node = nullptr;  // null: a folder above mounts, or nothing
  std::uint32_t mount = 0;
  bool folder_above_mounts = false;
  bool must_be_folder = false;  // it ends with "/", "." or ".."
  std::string path;             // absolute, without dots
  std::string rest;             // what the node is asked for

  bool is_mount() const { return node != nullptr && rest.empty(); }
};

// `folder` is an absolute place; nothing leads above it. Errors: ENOENT for "", ENAMETOOLONG,
// EINVAL for a NUL, EILSEQ for what is not UTF-8, ENOTCAPABLE for an absolute path or one that
// leads out.
Io<Location> resolve(const Tree& tree, std::string_view folder, std::string_view text);

// EINVAL, EILSEQ, ENAMETOOLONG as above.
Io<void> check_text(std::string_view text);

}  // namespace carrel::wasi
