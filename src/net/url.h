// URLs of what may be called: absolute, http or https, with nothing in them that two readers could
// take for different hosts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace carrel::net {

inline constexpr std::size_t kMaxUrl = 8 << 10;

// Value type.
struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower-case; an IPv6 address without brackets
  std::uint16_t port = 0;
  std::string target = "/";  // path and query as sent

  std::string authority() const;  // what a Host header says: the port only if not the scheme's
  std::string text() const;
  bool operator==(const Url&) const = default;
};

// By its name alone: "localhost", "::1" or an address of 127.0.0.0/8.
bool is_loopback(const Url& url);

// Refused: user information, control characters and spaces, bytes beyond ASCII, hosts that look
// like a number and are no dotted quad ("127.1", "0x7f.1", "2130706433"). A fragment is dropped.
// Pure; any thread. Errors: invalid_argument.
Result<Url> parse_url(std::string_view text);

}  // namespace carrel::net
