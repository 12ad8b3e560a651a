// The address of a Unix socket, for the system's calls.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <optional>
#include <string_view>

namespace carrel::net {

// Nothing: too long for one (107 bytes at most), empty, or with a NUL.
inline std::optional<sockaddr_un> unix_address(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path || path.contains('\0')) return {};
  path.copy(address.sun_path, path.size());
  return address;
}

}  // namespace carrel::net
