#include "net/client_resolver.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "base/handle.h"

namespace carrel::net {
namespace {

using Answer = Result<std::vector<IpAddress>>;
constexpr std::size_t kMaxAddresses = 16;  // that are tried; a host with more is not better off

std::optional<IpAddress> address_of(const addrinfo& info) {
  IpAddress address;
  if (info.ai_family == AF_INET) {
    const auto* socket = reinterpret_cast<const sockaddr_in*>(info.ai_addr);
    std::memcpy(address.bytes.data(), &socket->sin_addr, 4);
    return address;
  }
  if (info.ai_family != AF_INET6) return std::nullopt;
  address.v6 = true;
  const auto* socket = reinterpret_cast<const sockaddr_in6*>(info.ai_addr);
  std::memcpy(address.bytes.data(), &socket->sin6_addr, 16);
  return address;
}

// Somebody who knows all names has said so; else nobody was to be asked.
bool is_unknown(int failure) {
  return failure == EAI_NONAME || failure == EAI_NODATA || failure == EAI_ADDRFAMILY;
}

// Names below "localhost" are this machine's, whatever is served by them (RFC 6761, 6.3).
const char* asked_name(const std::string& host) {
  return host.ends_with(".localhost") ? "localhost" : host.c_str();
}

Answer ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* first = nullptr;
  const int failed = ::getaddrinfo(asked_name(host), nullptr, &hints, &first);
  if (failed != 0) {
    return fail(is_unknown(failed) ? Code::egress_name : Code::egress_failed,
                fmt::format("cannot resolve {}: {}", host, ::gai_strerror(failed)));
  }
  const Handle<addrinfo, freeaddrinfo> owner(first);
  std::vector<IpAddress> addresses;
  for (const addrinfo* i = first; i != nullptr && addresses.size() < kMaxAddresses;
       i = i->ai_next) {
    const auto address = address_of(*i);
    if (address && std::ranges::find(addresses, *address) == addresses.end())
      addresses.push_back(*address);
  }
  if (addresses.empty()) {
    return fail(Code::egress_name, fmt::format("{} has no address", host));
  }
  return addresses;
}

}  // namespace

async::Task<Answer> SystemResolver::resolve(std::string host) {
  co_return co_await aside_.ask([host = std::move(host)] { return ask_system(host); });
}

}  // namespace carrel::net
