// The DNS, asked by ourselves: for texts, and for addresses where an operator names the server to
// ask. Through the system's stub resolver (libresolv): its repetitions, TCP for long answers, and
// checks that an answer is to the question.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/shard.h"
#include "net/aside.h"
#include "net/client_resolver.h"

namespace carrel::net {

struct DnsServer {
  IpAddress address;  // IPv4
  std::uint16_t port = 53;
};
// "127.0.0.53", "127.0.0.1:5353". Errors: invalid_argument.
Result<DnsServer> parse_dns_server(std::string_view text);

// Owner: the shard's unit. Thread: its shard; it must go before it. Stops: destroying a waiting
// task forgets the question.
class Dns {
 public:
  // `server`: nothing: those of /etc/resolv.conf.
  Dns(async::Shard& shard, std::optional<DnsServer> server) : server_(server), aside_(shard) {}

  // The texts of a name (TXT records); none: there is no such name, or it has none. Errors:
  // egress_failed, unavailable.
  async::Task<Result<std::vector<std::string>>> texts(std::string name);

 private:
  const std::optional<DnsServer> server_;
  Aside<std::vector<std::string>> aside_;
};

// Names to addresses by one server alone, without the system's files. `localhost` and the names
// below it are the loopback (RFC 6761). Thread and owner as above.
class DnsResolver final : public Resolver {
 public:
  DnsResolver(async::Shard& shard, DnsServer server) : server_(server), aside_(shard) {}
  async::Task<Result<std::vector<IpAddress>>> resolve(std::string host) override;

 private:
  const DnsServer server_;
  Aside<std::vector<IpAddress>> aside_;
};

}  // namespace carrel::net
