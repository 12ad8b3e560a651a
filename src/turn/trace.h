// The traces that requests belong to: read from those that come, told to those that are called.
#pragma once

#include <optional>

#include "net/caller.h"
#include "observe/tracer.h"

namespace carrel::turn {

using Trace = std::optional<observe::TraceContext>;  // nothing: it belongs to none

// As the request says, once and validly.
Trace trace_of(const net::Request& request);

// A request that has come: its place in the trace and its span, below what it says of its cause.
struct RequestTrace {
  Trace here;
  observe::Span span;
};
// `name`: method and route, whatever the path. `tracer`: null, others' traces are only passed on.
RequestTrace trace_request(observe::Tracer* tracer, const net::Request& request,
                           std::string_view route);
void end_request(observe::Span& span, int status, const std::optional<Error>& error);

// A call to the outside, which tells the other side where it stands, unless who made the request
// has said so. Gives its span. `tracer`: as above.
observe::Span trace_call(observe::Tracer* tracer, const Trace& within,
                         net::OutgoingRequest& request);
void end_call(observe::Span& span, const Result<std::unique_ptr<net::IncomingResponse>>& response);

}  // namespace carrel::turn
