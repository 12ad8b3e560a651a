// The HTTP client: how anything in this process calls the outside.
//
// HTTP/1.1 with a pool of connections for each tenant. A host's name is resolved, the addresses are
// checked against the egress policy, and the connection goes to a checked address: what a name
// resolves to later changes nothing. TLS is verified against the system's roots. The request is
// built here: its own Host and framing, no CONNECT, no upgrades.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "async/shard.h"
#include "async/stream.h"
#include "base/id.h"
#include "net/egress_policy.h"
#include "net/http.h"
#include "net/url.h"

namespace carrel::net {

struct OutgoingRequest {
  std::string method = "GET";
  Url url;
  std::vector<std::pair<std::string, std::string>>
      headers;  // without Host, lengths, connection fields
  std::string body;
};

struct CallLimits {
  std::chrono::milliseconds connect{5'000};
  std::chrono::milliseconds total{30'000};  // to the last byte of the response
  std::uint64_t response_bytes = 64ULL << 20;
  std::size_t head_bytes = 64 << 10;
};

// Owner: who made the call; destroying it before the end closes its connection.
class IncomingResponse {
 public:
  virtual ~IncomingResponse() = default;
  virtual const ReplyHead& head() const = 0;
  virtual async::ByteSource& body() = 0;
};

struct ClientOptions {
  EgressPolicy policy;
  std::size_t connections_a_tenant = 64;  // at once; more calls wait
  std::size_t idle_a_host = 8;            // kept for the next call
  std::chrono::seconds idle{30};
  std::string ca_file;  // PEM, in place of the system's roots
};

// Owner: the shard's unit. Thread: its shard. Stops: destroying a call's task cancels it.
class Client {
 public:
  Client(async::Shard& shard, ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // One request, without following redirects; returns when the response's head is there. Errors:
  // egress_denied (with the address), egress_failed (name, connection, TLS, time, a bad response),
  // unavailable.
  async::Task<Result<std::unique_ptr<IncomingResponse>>> send(TenantName tenant,
                                                              OutgoingRequest request,
                                                              CallLimits limits);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::net
