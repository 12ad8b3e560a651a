// Requests to endpoints: signed, sent by the node's one way out, their answers read within bounds.
//
// Redirects are not followed: who is told is who was named.
#pragma once

#include <string>

#include "async/task.h"
#include "observe/trace_context.h"
#include "patterns/hook/access_token.h"
#include "patterns/hook/cloud_event.h"
#include "patterns/hook/point.h"
#include "patterns/hook/signature.h"
#include "tenant/spent.h"
#include "turn/state.h"

namespace carrel::hook {

struct EndpointCall {
  tenant::Spender who;  // the binding: its quota of calls binds
  TenantName signer;    // whose secrets sign, and get access
  std::shared_ptr<const Endpoint> endpoint;
  std::string id;  // the same for each attempt
  EventMessage message;
  Nanos longest;                                    // to the end of the answer
  std::size_t most = 64 << 10;                      // bytes of the answer
  std::optional<observe::TraceContext> trace = {};  // of its cause
};

struct EndpointReply {
  int status = 0;
  std::string body;
  Nanos retry_after{};  // as it asks for; a day at most
};

// Owner: the shard's unit. Thread: its shard. Stops: destroying a call's task cancels it.
class Endpoints {
 public:
  Endpoints(const turn::Services& services, const Clock& clock)
      : services_(services), clock_(clock), tokens_(services, clock) {}

  // Whatever the endpoint answers. An access token that it refuses although it was good before is
  // got anew, once. Errors: not_found and invalid_config of secrets; those of net::Caller, of the
  // answer's body and of AccessTokens::get.
  async::Task<Result<EndpointReply>> call(EndpointCall call);

 private:
  async::Task<Result<EndpointReply>> send(const EndpointCall* call, const SigningKeys* keys,
                                          Instant end, std::string_view token);

  const turn::Services& services_;
  const Clock& clock_;
  AccessTokens tokens_;
};

// Of an answer that is none: "it answered 503".
std::string refusal_text(const EndpointReply& reply);
inline bool is_success(const EndpointReply& reply) {
  return reply.status >= 200 && reply.status < 300;
}

}  // namespace carrel::hook
