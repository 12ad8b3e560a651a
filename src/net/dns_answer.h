// What a DNS server's answer says. Pure; any thread. Every byte is a stranger's.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "net/egress_policy.h"

namespace carrel::net {

inline constexpr std::size_t kMostDnsRecords = 64;  // of an answer that are looked at

// Nothing: the message is damaged. Parts of one text are put together (RFC 1035, section 3.3.14).
std::optional<std::vector<std::string>> texts_in(std::span<const unsigned char> message);
std::optional<std::vector<IpAddress>> addresses_in(std::span<const unsigned char> message);

}  // namespace carrel::net
