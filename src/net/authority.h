// A request's authority, "host:port" or "[v6]:port", in its two parts. Pure; any thread.
#pragma once

#include <string_view>

namespace carrel::net {

struct Authority {
  std::string_view host;  // with its brackets
  std::string_view port;  // empty: not given
};

inline Authority split_authority(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || text.find(']', colon) != std::string_view::npos) {
    return {text, {}};
  }
  return {text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace carrel::net
