#include "capability/state/names.h"

#include <cstddef>
#include <utility>

#include "store/key.h"
#include "wasi/names.h"

namespace carrel::capability::state {
namespace {

wasi::Io<std::string> decode_segment(std::string_view segment) {
  if (segment == "%") return std::string();
  auto plain = wasi::decode_name(segment);
  if (!plain || plain->empty() || plain->contains('/')) return wasi::fail(wasi::Errno::inval);
  return std::move(*plain);
}

}  // namespace

wasi::Io<Location> locate(std::string_view path) {
  Location location;
  const auto slash = path.find('/');
  const auto store = path.substr(0, slash);
  if (store.size() > store::kMaxStoreName) return wasi::fail(wasi::Errno::nametoolong);
  location.store = store;
  if (slash == std::string_view::npos) return location;
  location.inside = true;
  for (std::size_t at = slash + 1;;) {
    const auto end = path.find('/', at);
    auto segment = decode_segment(path.substr(at, end == std::string_view::npos ? end : end - at));
    if (!segment) return wasi::fail(segment.error());
    location.name += *segment;
    if (location.name.size() > store::kMaxName) return wasi::fail(wasi::Errno::nametoolong);
    if (end == std::string_view::npos) break;
    location.name += '/';
    at = end + 1;
  }
  if (location.name.empty()) return wasi::fail(wasi::Errno::inval);
  return location;
}

std::string encode_segment(std::string_view segment) {
  return segment.empty() ? "%" : wasi::encode_name(segment);
}

std::string path_of(std::string_view name) {
  std::string path;
  for (std::size_t at = 0;;) {
    const auto end = name.find('/', at);
    path += encode_segment(name.substr(at, end == std::string_view::npos ? end : end - at));
    if (end == std::string_view::npos) return path;
    path += '/';
    at = end + 1;
  }
}

}  // namespace carrel::capability::state
