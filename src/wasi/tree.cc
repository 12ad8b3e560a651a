#include "wasi/tree.h"

#include <algorithm>

namespace carrel::wasi {
namespace {

// The rest of `path` below `above`, or nothing if it is not there. Both absolute; "/" is above
// everything.
std::optional<std::string_view> below(std::string_view path, std::string_view above) {
  if (above == "/") return path.substr(1);
  if (!path.starts_with(above)) return std::nullopt;
  if (path.size() == above.size()) return path.substr(path.size());
  if (path[above.size()] != '/') return std::nullopt;
  return path.substr(above.size() + 1);
}

}  // namespace

void Tree::mount(std::string path, std::shared_ptr<Node> node) {
  for (Mount& known : mounts_) {
    if (known.path == path) {
      known.node = std::move(node);
      return;
    }
  }
  if (mounts_.empty()) mounts_.reserve(8);
  mounts_.push_back({std::move(path), std::move(node)});
}

Tree::Place Tree::find(std::string_view path) const {
  Place place;
  place.folder_above_mounts = path == "/";
  for (std::size_t i = 0; i < mounts_.size(); ++i) {
    const Mount& mount = mounts_[i];
    const auto rest = below(path, mount.path);
    if (rest && (place.node == nullptr || mount.path.size() > place.mount_size)) {
      place.node = mount.node.get();
      place.mount = static_cast<std::uint32_t>(i + 1);
      place.mount_size = mount.path.size();
      place.rest = *rest;
    }
    if (!place.folder_above_mounts)
      place.folder_above_mounts = !rest && below(mount.path, path).has_value();
  }
  return place;
}

std::vector<std::string_view> Tree::mounts_below(std::string_view path) const {
  std::vector<std::string_view> names;
  for (const Mount& mount : mounts_) {
    const auto rest = below(mount.path, path);
    if (!rest || rest->empty()) continue;
    const auto name = rest->substr(0, rest->find('/'));
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

}  // namespace carrel::wasi
