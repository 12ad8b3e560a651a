// A request to an endpoint: signed, sent by the node's one way out, its answer read within bounds.
//
// Redirects are not followed: who is told is who was named.
#pragma once

#include <string>

#include "async/task.h"
#include "patterns/hook/cloud_event.h"
#include "patterns/hook/point.h"
#include "turn/state.h"

namespace carrel::hook {

struct EndpointCall {
  TenantName tenant;  // the binding's: whose secret signs, and whose connections these are
  std::shared_ptr<const Endpoint> endpoint;
  std::string id;  // the same for each attempt
  EventMessage message;
  Nanos longest;                // to the end of the answer
  std::size_t most = 64 << 10;  // bytes of the answer
};

struct EndpointReply {
  int status = 0;
  std::string body;
  Nanos retry_after{};  // as it asks for; a day at most
};

// Whatever the endpoint answers. Errors: not_found and invalid_config of the secret; those of
// net::Caller and of the answer's body.
async::Task<Result<EndpointReply>> call_endpoint(turn::Services services, const Clock* clock,
                                                 EndpointCall call);

// Of an answer that is none: "it answered 503".
std::string refusal_text(const EndpointReply& reply);
inline bool is_success(const EndpointReply& reply) {
  return reply.status >= 200 && reply.status < 300;
}

}  // namespace carrel::hook
