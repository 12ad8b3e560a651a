#include "turn/trace.h"

#include <gtest/gtest.h>

namespace carrel::turn {
namespace {

constexpr std::string_view kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

net::Request request_with(std::vector<net::Header> headers) {
  net::Request request;
  request.method = "GET";
  request.path = "/a";
  request.headers = std::move(headers);
  return request;
}

std::string header_of(const net::OutgoingRequest& request, std::string_view name) {
  for (const auto& [field, value] : request.headers)
    if (field == name) return value;
  return "";
}

TEST(Trace, IsReadFromARequestThatSaysItOnce) {
  EXPECT_EQ(trace_of(request_with({{"TraceParent", kParent}}))->traceparent(), kParent);
  EXPECT_FALSE(trace_of(request_with({})));
  EXPECT_FALSE(trace_of(request_with({{"traceparent", "x"}})));
  EXPECT_FALSE(trace_of(request_with({{"traceparent", kParent}, {"traceparent", kParent}})));
  const auto joined = trace_of(
      request_with({{"tracestate", "a=1"}, {"traceparent", kParent}, {"tracestate", "b=2"}}));
  EXPECT_EQ(joined->state, "a=1,b=2");
}

TEST(Trace, WithoutATracerOthersTracesArePassedOn) {
  const auto request = trace_request(nullptr, request_with({{"traceparent", kParent}}), "/a");
  EXPECT_FALSE(request.span);
  net::OutgoingRequest call;
  EXPECT_FALSE(trace_call(nullptr, request.here, call));
  EXPECT_EQ(header_of(call, "traceparent"), kParent);
  net::OutgoingRequest other;
  EXPECT_FALSE(trace_call(nullptr, std::nullopt, other));
  EXPECT_TRUE(other.headers.empty());
}

TEST(Trace, ACallIsBelowWhatCausedIt) {
  observe::Tracer tracer({}, system_clock());
  auto request = trace_request(&tracer, request_with({{"traceparent", kParent}}), "/a");
  net::OutgoingRequest call;
  observe::Span span = trace_call(&tracer, request.here, call);
  const Result<std::unique_ptr<net::IncomingResponse>> refused = fail(Code::egress_refused);
  end_call(span, refused);
  end_request(request.span, 200, std::nullopt);
  const auto spans = tracer.take();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0].parent, spans[1].context.span);
  EXPECT_EQ(spans[0].failure, "egress_refused");
  EXPECT_EQ(spans[1].failure, "");
  EXPECT_EQ(header_of(call, "traceparent"), spans[0].context.traceparent());
}

TEST(Trace, WhatTheCallSaysItselfStays) {
  observe::Tracer tracer({}, system_clock());
  net::OutgoingRequest call{.headers = {{"Traceparent", "its own"}}};
  trace_call(&tracer, tracer.below({}), call);
  EXPECT_EQ(call.headers.size(), 1U);
}

TEST(Trace, WhatTheCallerDidWrongIsNoFailureOfOurs) {
  observe::Tracer tracer({}, system_clock());
  for (const Code code : {Code::too_many_requests, Code::guest_trapped}) {
    auto request = trace_request(&tracer, request_with({}), "/a");
    end_request(request.span, http_status(code), Error(code));
  }
  const auto spans = tracer.take();
  EXPECT_EQ(spans[0].failure, "");
  EXPECT_EQ(spans[1].failure, "guest_trapped");
}

}  // namespace
}  // namespace carrel::turn
