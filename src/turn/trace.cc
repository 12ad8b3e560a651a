#include "turn/trace.h"

#include <algorithm>

namespace carrel::turn {

using observe::SpanRecord;

Trace trace_of(const net::Request& request) {
  std::string_view parent;
  int parents = 0;
  std::string state;  // several fields are one list
  for (const net::Header& header : request.headers) {
    if (net::same_name(header.name, "traceparent")) {
      parent = header.value;
      ++parents;
    } else if (net::same_name(header.name, "tracestate")) {
      if (state.size() > observe::kMostTraceState) continue;
      if (!state.empty()) state += ',';
      state += header.value;
    }
  }
  return parents == 1 ? observe::parse_trace(parent, state) : std::nullopt;
}

RequestTrace trace_request(observe::Tracer* tracer, const net::Request& request,
                           std::string_view route) {
  RequestTrace made{.here = trace_of(request), .span = {}};
  if (tracer == nullptr) return made;
  const Trace cause = made.here;
  made.here = tracer->below(cause);
  if (!made.here->is_recorded()) return made;
  const std::string name = std::string(request.method) + " " + std::string(route);
  observe::Span span = tracer->begin(*made.here, cause, name, SpanRecord::Kind::server);
  span.say("http.request.method", std::string(request.method));
  span.say("url.path", std::string(request.path));
  span.say("url.scheme", std::string(request.scheme));
  span.say("http.route", std::string(route));
  span.say("server.address", std::string(request.host));
  span.say("client.address", request.remote_address);
  return {.here = std::move(made.here), .span = std::move(span)};
}

void end_request(observe::Span& span, int status, const std::optional<Error>& error) {
  if (!span) return;
  if (status > 0) span.say("http.response.status_code", std::int64_t{status});
  if (error) {
    span.say("error.type", std::string(code_name(error->code())));
    if (http_status(error->code()) >= 500) span.fail(error->code());
  }
  span.end();
}

observe::Span trace_call(observe::Tracer* tracer, const Trace& within,
                         net::OutgoingRequest& request) {
  if (!within) return {};
  const observe::TraceContext here = tracer == nullptr ? *within : tracer->below(within);
  const bool says_so = std::ranges::any_of(request.headers, [](const auto& header) {
    return net::same_name(header.first, "traceparent");
  });
  if (!says_so) {
    request.headers.emplace_back("traceparent", here.traceparent());
    if (!here.state.empty()) request.headers.emplace_back("tracestate", here.state);
  }
  if (tracer == nullptr) return {};
  observe::Span span = tracer->begin(here, within, request.method, SpanRecord::Kind::client);
  if (!span) return span;
  span.say("http.request.method", request.method);
  span.say("server.address", request.url.host);
  span.say("server.port", std::int64_t{request.url.port});
  return span;
}

void end_call(observe::Span& span, const Result<std::unique_ptr<net::IncomingResponse>>& response) {
  if (!span) return;
  if (response) {
    const int status = (*response)->head().status;
    span.say("http.response.status_code", std::int64_t{status});
    if (status >= 400) span.say("error.type", std::to_string(status));
  } else {
    span.say("error.type", std::string(code_name(response.error().code())));
    span.fail(response.error().code());
  }
  span.end();
}

}  // namespace carrel::turn
