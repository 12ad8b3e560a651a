// A guest's file tree: nodes mounted at paths, and the folders above them that exist only for that.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wasi/node.h"

namespace carrel::wasi {

// The folders a guest finds opened from descriptor 3 on (WASI's "preopens"), each with its name and
// the place in the tree it stands for. Turns have one: "/" for the root.
struct Preopen {
  std::string name;
  std::string path;
};

// Value built once a turn; cheap: it holds pointers to nodes. Thread: its shard.
class Tree {
 public:
  // `path` is absolute, like "/event" or "/". A later mount at the same path replaces the earlier.
  void mount(std::string path, std::shared_ptr<Node> node);

  // The longest mount at or above `path` (absolute, normalised) and the rest of the path below it.
  // Null node: the place is a folder that exists only because something is mounted below it, or
  // does not exist.
  struct Place {
    Node* node = nullptr;        // lives as long as the tree
    std::uint32_t mount = 0;     // its number, from 1
    std::size_t mount_size = 0;  // bytes of the mount's path
    std::string_view rest;       // views `path`
    bool folder_above_mounts = false;
  };
  Place find(std::string_view path) const;
  // Names directly below `path` that lead to a mount, each once.
  std::vector<std::string_view> mounts_below(std::string_view path) const;

 private:
  struct Mount {
    std::string path;
    std::shared_ptr<Node> node;
  };
  std::vector<Mount> mounts_;
};

}  // namespace carrel::wasi
