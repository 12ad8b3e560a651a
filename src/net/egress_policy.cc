#include "net/egress_policy.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>

#include "base/handle.h"

namespace carrel::net {
namespace {

struct Special {
  std::string_view range;
  std::string_view what;
};

// IANA's registries of special-purpose addresses. The first that contains an address names it.
constexpr Special kSpecial[] = {
    {"0.0.0.0/8", "of this network"},
    {"10.0.0.0/8", "private"},
    {"100.64.0.0/10", "shared"},
    {"127.0.0.0/8", "loopback"},
    {"169.254.0.0/16", "link-local"},
    {"172.16.0.0/12", "private"},
    {"192.0.0.0/24", "reserved"},
    {"192.0.2.0/24", "for documentation"},
    {"192.88.99.0/24", "a 6to4 relay"},
    {"192.168.0.0/16", "private"},
    {"198.18.0.0/15", "for benchmarks"},
    {"198.51.100.0/24", "for documentation"},
    {"203.0.113.0/24", "for documentation"},
    {"224.0.0.0/4", "multicast"},
    {"240.0.0.0/4", "reserved"},
    {"::/128", "unspecified"},
    {"::1/128", "loopback"},
    {"::ffff:0:0/96", "a mapped IPv4 address"},
    {"::ffff:0:0:0/96", "a translated IPv4 address"},
    {"::/96", "a compatible IPv4 address"},
    {"64:ff9b::/96", "a translated IPv4 address"},
    {"64:ff9b:1::/48", "a translated IPv4 address"},
    {"2001::/32", "a Teredo address"},
    {"2001::/23", "reserved"},
    {"2001:db8::/32", "for documentation"},
    {"2002::/16", "a 6to4 address"},
    {"3fff::/20", "for documentation"},
    {"fc00::/7", "unique local"},
    {"fe80::/10", "link-local"},
    {"fec0::/10", "site-local"},
    {"ff00::/8", "multicast"},
};

struct SpecialRange {
  IpRange range;
  std::string_view what;
};

const std::vector<SpecialRange>& special_ranges() {
  static const auto* const ranges = [] {  // for ever: read at exit as well
    auto* const all = new std::vector<SpecialRange>;
    for (const Special& special : kSpecial) {
      all->push_back({parse_range(special.range).value(), special.what});
    }
    return all;
  }();
  return *ranges;
}

bool within(std::string_view range, const IpAddress& address) {
  return parse_range(range).value().contains(address);
}

IpAddress v4_of(std::span<const std::uint8_t, 4> bytes) {
  IpAddress address;
  std::ranges::copy(bytes, address.bytes.begin());
  return address;
}

// The IPv4 address that an IPv6 address carries, which is where its packets may end up.
std::optional<IpAddress> carried(const IpAddress& address) {
  if (!address.v6) return std::nullopt;
  const std::span bytes(address.bytes);
  if (within("2002::/16", address)) return v4_of(bytes.subspan<2, 4>());
  if (within("2001::/32", address)) {  // the client's, inverted
    IpAddress inside = v4_of(bytes.subspan<12, 4>());
    for (int i = 0; i < 4; ++i) inside.bytes[i] ^= 0xff;
    return inside;
  }
  if (within("::/127", address)) return std::nullopt;  // :: and ::1 are no IPv4 addresses
  for (const auto* range :
       {"::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"}) {
    if (within(range, address)) return v4_of(bytes.last<4>());
  }
  return std::nullopt;
}

bool is_unspecified(const IpAddress& address) { return address.bytes == IpAddress().bytes; }

std::optional<IpAddress> address_of(const sockaddr* socket) {
  IpAddress address;
  if (socket == nullptr) return std::nullopt;
  if (socket->sa_family == AF_INET) {
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in*>(socket)->sin_addr, 4);
    return address;
  }
  if (socket->sa_family != AF_INET6) return std::nullopt;
  address.v6 = true;
  std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(socket)->sin6_addr, 16);
  return address;
}

// Asked anew each time: addresses come and go, and few calls are to a port that is listened on.
bool is_of_this_host(const IpAddress& address) {
  if (is_unspecified(address) || within("127.0.0.0/8", address) || within("::1", address)) {
    return true;
  }
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return true;
  const Handle<ifaddrs, freeifaddrs> owner(first);
  for (const ifaddrs* i = first; i != nullptr; i = i->ifa_next) {
    if (address_of(i->ifa_addr) == address) return true;
  }
  return false;
}

Error bad_range(std::string_view text, std::string_view why) {
  return Error(Code::invalid_argument,
               fmt::format("\"{}\" is not a range of addresses: {}", text, why),
               "write an address, or its first one and a prefix's length: 10.0.0.0/8, fd00::/8");
}

}  // namespace

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN];
  ::inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), buffer, sizeof buffer);
  return buffer;
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN || text.contains('\0')) return std::nullopt;
  IpAddress address;
  address.v6 = text.contains(':');
  const std::string copy(text);
  const int family = address.v6 ? AF_INET6 : AF_INET;
  if (::inet_pton(family, copy.c_str(), address.bytes.data()) != 1) return std::nullopt;
  return address;
}

bool IpRange::contains(const IpAddress& address) const {
  if (address.v6 != base.v6) return false;
  const unsigned whole = bits / 8;
  if (!std::equal(base.bytes.begin(), base.bytes.begin() + whole, address.bytes.begin())) {
    return false;
  }
  const unsigned rest = bits % 8;
  return rest == 0 || ((base.bytes[whole] ^ address.bytes[whole]) >> (8 - rest)) == 0;
}

Result<IpRange> parse_range(std::string_view text) {
  const auto slash = text.find('/');
  const auto base = parse_ip(text.substr(0, slash));
  if (!base) return std::unexpected(bad_range(text, "it does not start with an IP address"));
  const unsigned most = base->v6 ? 128 : 32;
  IpRange range{.base = *base, .bits = most};
  if (slash == std::string_view::npos) return range;
  const std::string_view length = text.substr(slash + 1);
  const auto [end, error] =
      std::from_chars(length.data(), length.data() + length.size(), range.bits);
  const bool padded = length.size() > 1 && length.front() == '0';
  if (error != std::errc() || end != length.data() + length.size() || padded || range.bits > most) {
    return std::unexpected(
        bad_range(text, fmt::format("the prefix's length is not a number up to {}", most)));
  }
  for (unsigned bit = range.bits; bit < most; ++bit) {
    if ((base->bytes[bit / 8] & (0x80U >> (bit % 8))) != 0) {
      return std::unexpected(bad_range(text, "the address goes on after the prefix"));
    }
  }
  return range;
}

bool EgressPolicy::is_own_listener(const IpAddress& address, std::uint16_t port) const {
  return std::ranges::any_of(own_listeners, [&](const auto& listener) {
    if (listener.second != port) return false;
    const IpAddress own = carried(listener.first).value_or(listener.first);
    if (is_unspecified(own)) return is_of_this_host(address);
    // A connection to 0.0.0.0 or :: goes to this host.
    return own == address || is_unspecified(address);
  });
}

std::optional<std::string_view> EgressPolicy::range_refusal(const IpAddress& address) const {
  const auto contains = [&](const IpRange& range) { return range.contains(address); };
  if (std::ranges::any_of(allowed, contains)) return std::nullopt;
  for (const SpecialRange& special : special_ranges()) {
    if (special.range.contains(address)) return special.what;
  }
  if (address.v6 && !within("2000::/3", address)) return "reserved";
  return std::nullopt;
}

std::optional<std::string> EgressPolicy::refusal(const IpAddress& address,
                                                 std::uint16_t port) const {
  const auto inside = carried(address);
  if (is_own_listener(address, port) || (inside && is_own_listener(*inside, port))) {
    return fmt::format("{} port {} is this node's own", address.text(), port);
  }
  if (const auto what = range_refusal(address)) {
    return fmt::format("{} is {}", address.text(), *what);
  }
  if (!inside) return std::nullopt;
  const auto what = range_refusal(*inside);
  if (!what) return std::nullopt;
  return fmt::format("{} carries {}, which is {}", address.text(), inside->text(), *what);
}

}  // namespace carrel::net
