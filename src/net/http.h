// HTTP as the rest of Carrel sees it: a request with a body that arrives, a reply that leaves, and
// the handler between them. No type of a socket, a parser or a library appears here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/stream.h"
#include "async/task.h"
#include "base/result.h"

namespace carrel::net {

struct Header {
  std::string_view name;
  std::string_view value;
};

// Views into the connection's buffer: valid until the handler has returned. Names are as sent;
// compare with `same_name`. Only requests that passed every framing check (RFC 9112) get here.
struct Request {
  std::string_view method;
  std::string_view target;      // as sent: "/price/7?x=1"
  std::string_view path;        // undecoded, before '?'
  std::string_view query;       // undecoded, after '?', may be empty
  std::string_view host;        // Host header, with port if sent
  std::vector<Header> headers;  // in order, duplicates kept, all fields included
  int version_minor = 1;        // HTTP/1.x
  std::string_view scheme;      // "http" or "https"
  std::string remote_address;   // without port
  std::uint16_t remote_port = 0;
  std::uint16_t local_port = 0;
  std::optional<std::uint64_t> content_length;  // nothing: chunked (see `has_body`)
  bool has_body = false;
  std::vector<Header> trailers;  // of a chunked body, once all of it has been read

  std::string_view header(std::string_view name) const;  // the first value, or empty
};

bool same_name(std::string_view a, std::string_view b);  // ASCII case-insensitive

// The request's body as it arrives. Errors of `wait`: body_too_large, request_timeout, bad_request
// (chunking), connection_closed.
using RequestBody = async::ByteSource;

using Fields = std::vector<std::pair<std::string, std::string>>;

struct ReplyHead {
  int status = 200;
  Fields headers;  // framing fields are the connection's own
};

// The reply to one request: either `send`, or `start`, `write`* and `finish`. For HEAD and statuses
// without a body the bytes are counted, not sent. Errors: connection_closed; request_timeout for a
// client that does not read.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  virtual bool started() const = 0;
  virtual int status() const { return 0; }  // once it has started; 0: nobody knows
  virtual async::Task<Result<void>> send(ReplyHead head, std::string_view body) = 0;
  // `length` unknown: chunked, or until close for HTTP/1.0.
  virtual async::Task<Result<void>> start(ReplyHead head, std::optional<std::uint64_t> length) = 0;
  virtual async::Task<Result<void>> write(std::string_view bytes) = 0;
  virtual async::Task<Result<void>> finish() = 0;
  // Fields that follow the body; before `send` or `finish`. Left out where the client takes none.
  virtual void give_trailers(const Fields&) {}
  // After start: the client sees a broken reply, not a short one.
  virtual void abort() = 0;
};

// One request in progress. Owner: the connection; outlives the handler's task.
struct Exchange {
  const Request& request;
  RequestBody& body;
  ReplySink& reply;
  std::uint64_t id;  // unique in this process; what an error reply names
};

// Thread: one handler serves one shard. Must answer, or the connection answers 500.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual async::Task<void> handle(Exchange& exchange) = 0;
};

// An error as RFC 9457 problem details: code, title, status, the exchange's id; never the error's
// message.
ReplyHead problem_head(const Error& error);
std::string problem_body(const Error& error, std::uint64_t id);

}  // namespace carrel::net
