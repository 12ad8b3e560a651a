// A call to the outside as its makers see it: a request that is whole or is made while it is sent,
// a response that arrives.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/stream.h"
#include "base/id.h"
#include "net/http.h"
#include "net/url.h"

namespace carrel::net {

// A body that is sent as it comes. Whoever makes the call owns the source, which outlives `send`.
struct StreamedBody {
  async::ByteSource* source;
  std::optional<std::uint64_t> length;  // exactly; nothing: it is sent in chunks
  // Behind the last chunk: looked at when the source has finished, and outlives `send` as well.
  const Fields* trailers = nullptr;
};

struct OutgoingRequest {
  std::string method = "GET";
  Url url;
  std::vector<std::pair<std::string, std::string>>
      headers;                         // Host, lengths and what concerns one connection are dropped
  std::string body;                    // wiped once it is sent, as the headers are
  Fields trailers = {};                // of `body`, which then goes in chunks
  std::optional<StreamedBody> stream;  // in place of `body`
  bool takes_trailers = false;         // of the response, and says so
};

struct CallLimits {
  std::chrono::milliseconds connect{5'000};  // the name, the connection and TLS
  std::chrono::milliseconds total{30'000};   // to the last byte of the response
  std::uint64_t response_bytes = 64ULL << 20;
  std::size_t head_bytes = 64 << 10;
};

// Owner: who made the call; destroying it before the end closes its connection. Thread: its shard.
class IncomingResponse {
 public:
  virtual ~IncomingResponse() = default;
  virtual const ReplyHead& head() const = 0;
  // Errors of `wait`: egress_timeout, egress_closed, egress_bad_response, egress_too_large.
  virtual async::ByteSource& body() = 0;
  // Once the body has ended.
  virtual Fields trailers() const { return {}; }
};

// Thread: one shard. Stops: destroying a call's task cancels it.
class Caller {
 public:
  virtual ~Caller() = default;
  // One request, without following redirects; returns when the response's head is there, which may
  // be before a streamed body has ended: the rest of it is then not sent. Errors: invalid_argument
  // (a request that cannot be sent; a streamed body of another length), unavailable, egress_address
  // (with the address), and the other egress codes for what went wrong on the way.
  virtual async::Task<Result<std::unique_ptr<IncomingResponse>>> send(TenantName tenant,
                                                                      OutgoingRequest request,
                                                                      CallLimits limits) = 0;
};

}  // namespace carrel::net
