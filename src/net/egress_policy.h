// The egress policy: which addresses this process may call on behalf of others.
//
// Refused unless an operator allows their range: private, loopback, link-local, shared (100.64/10),
// "this network" (0/8), multicast, reserved, benchmarking and documentation addresses; IPv6 forms
// that carry an IPv4 address (mapped, compatible, translated, 64:ff9b::/96, 64:ff9b:1::/48, 6to4,
// Teredo), unique local ones; and this node's own listeners, always. Where the form is allowed, the
// IPv4 address in it must be as well.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace carrel::net {

// An IPv4 address is held as 4 bytes, an IPv6 address as 16.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  bool v6 = false;
  std::string text() const;
  auto operator<=>(const IpAddress&) const = default;
};
// Four decimal numbers, or IPv6 without brackets and zone; no other way to write an address.
std::optional<IpAddress> parse_ip(std::string_view text);

struct IpRange {
  IpAddress base;
  unsigned bits = 0;
  bool contains(const IpAddress& address) const;  // of the same family
};
// "10.0.0.0/8", "fd00::/8", "127.0.0.1". Errors: invalid_argument.
Result<IpRange> parse_range(std::string_view text);

// Value type. Immutable when shared.
struct EgressPolicy {
  std::vector<IpRange> allowed;  // besides public addresses
  std::vector<std::pair<IpAddress, std::uint16_t>>
      own_listeners;  // 0.0.0.0 and ::: any address of this host

  // Nothing: it may be called; else why not, in words for the log.
  std::optional<std::string> refusal(const IpAddress& address, std::uint16_t port) const;

 private:
  std::optional<std::string_view> range_refusal(const IpAddress& address) const;
  bool is_own_listener(const IpAddress& address, std::uint16_t port) const;
};

}  // namespace carrel::net
