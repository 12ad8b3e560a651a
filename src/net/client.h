// The HTTP client: how anything in this process calls the outside.
//
// HTTP/1.1 with a pool of connections for each tenant. A host's name is resolved, the addresses are
// checked against the egress policy (one that is refused fails the call), and the connection goes
// to a checked address: what a name resolves to later changes nothing. TLS is verified. The request
// is built here: its own Host and framing, no CONNECT, no upgrades.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "async/shard.h"
#include "net/caller.h"
#include "net/client_resolver.h"
#include "net/egress_policy.h"
#include "observe/outcome_counts.h"

namespace carrel::net {

// Whom a client believes: a PEM file, or empty for the system's roots. Read once, used by all
// shards. Errors: invalid_config naming the file, unavailable.
class TlsContext;
Result<std::shared_ptr<TlsContext>> load_client_tls(const std::string& roots);

struct ClientOptions {
  EgressPolicy policy;
  std::shared_ptr<TlsContext> tls;         // null: no https
  Resolver* resolver = nullptr;            // outlives the client; null: the system's
  std::size_t connections_a_tenant = 64;   // at once; more calls wait
  std::size_t idle_a_host = 8;             // kept for the next call
  std::chrono::milliseconds idle{30'000};  // no longer than this
  // A Unix socket that all calls go to, whatever their URLs say: a server that whoever makes the
  // client trusts. Empty: none.
  std::string socket = {};
};

// Owner: the shard's unit. Thread: its shard. Stops: destroying a call's task cancels it, which
// must come before the client's end; responses may outlive the client, but not the shard.
class Client final : public Caller {
 public:
  Client(async::Shard& shard, ClientOptions options);
  ~Client() override;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  async::Task<Result<std::unique_ptr<IncomingResponse>>> send(TenantName tenant,
                                                              OutgoingRequest request,
                                                              CallLimits limits) override;

  // May be read by any thread.
  struct Figures {
    observe::OutcomeCounts outcomes;  // well: a response's head came, whatever its status
    observe::Durations durations;     // until then, of calls that went well
  };
  const Figures& figures() const;

 private:
  async::Task<Result<std::unique_ptr<IncomingResponse>>> send_alone(TenantName tenant,
                                                                    OutgoingRequest request,
                                                                    CallLimits limits);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::net
