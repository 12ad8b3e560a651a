// The parts of a JSON pointer (RFC 6901). Pure.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace carrel::hook {

// "~1" is a slash in a name, "~0" a tilde.
inline std::string pointer_name(std::string_view part) {
  std::string name;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const bool escape = part[i] == '~' && i + 1 < part.size();
    name += escape && part[i + 1] == '1' ? '/' : part[i];
    if (escape && (part[i + 1] == '0' || part[i + 1] == '1')) ++i;
  }
  return name;
}

// "0", "17"; nothing: it is no index.
inline std::optional<std::size_t> pointer_index(std::string_view part) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
  const bool whole = error == std::errc() && end == part.data() + part.size();
  if (!whole || (part.size() > 1 && part[0] == '0')) return {};
  return index;
}

}  // namespace carrel::hook
