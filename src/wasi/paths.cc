#include "wasi/paths.h"

#include <algorithm>

#include "base/utf8.h"

namespace carrel::wasi {
namespace {

// The next component of `text`, which may be empty, taken off it.
std::string_view next_component(std::string_view& text) {
  const std::size_t end = std::min(text.find('/'), text.size());
  const std::string_view component = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return component;
}

// Appends a component to an absolute path without its root's slash; ".." takes the last one off.
void step(std::string& path, std::string_view component) {
  if (component.empty() || component == ".") return;
  if (component == "..") {
    path.resize(path.rfind('/'));
    return;
  }
  path += '/';
  path += component;
}

// What is below the mount, with its ".." left for the node: a link may come before them.
std::string unresolved_rest(std::string_view folder, std::string_view text,
                            std::size_t mount_size) {
  std::string path(folder);
  std::string rest(folder.size() > mount_size ? folder.substr(mount_size + 1) : std::string_view());
  while (!text.empty()) {
    const std::string_view component = next_component(text);
    step(path, component);
    const bool left_or_entered =
        path.size() < mount_size || (path.size() == mount_size && component != "..");
    if (left_or_entered) {
      rest.clear();
    } else if (!component.empty() && component != ".") {
      if (!rest.empty()) rest += '/';
      rest += component;
    }
  }
  return rest;
}

}  // namespace

Io<void> check_text(std::string_view text) {
  if (text.size() > kMaxPath) return fail(Errno::nametoolong);
  if (text.contains('\0')) return fail(Errno::inval);
  if (!is_utf8(text)) return fail(Errno::ilseq);
  return {};
}

Io<Location> resolve(const Tree& tree, std::string_view folder, std::string_view text) {
  if (auto checked = check_text(text); !checked) return fail(checked.error());
  if (text.empty()) return fail(Errno::noent);
  if (text.front() == '/') return fail(Errno::notcapable);
  if (folder == "/") folder = {};

  Location location;
  location.path = folder;
  bool goes_up = false;
  std::string_view component;
  for (std::string_view left = text; !left.empty();) {
    component = next_component(left);
    if (component == "..") {
      goes_up = true;
      if (location.path.size() == folder.size()) return fail(Errno::notcapable);
    }
    step(location.path, component);
  }
  location.must_be_folder = text.back() == '/' || component == "." || component == "..";
  if (location.path.empty()) location.path = "/";

  const Tree::Place place = tree.find(location.path);
  location.node = place.node;
  location.mount = place.mount;
  location.folder_above_mounts = place.folder_above_mounts;
  if (place.node != nullptr && goes_up && place.node->resolves_dots()) {
    location.rest = unresolved_rest(folder, text, place.mount_size == 1 ? 0 : place.mount_size);
  } else {
    location.rest = place.rest;
  }
  return location;
}

}  // namespace carrel::wasi
