#include "observe/tracer.h"

#include <gtest/gtest.h>

namespace carrel::observe {
namespace {

constexpr std::string_view kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContext, IsSaidAsItWasRead) {
  const auto read = parse_trace(kParent, "a=1,b=2");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->traceparent(), kParent);
  EXPECT_EQ(read->state, "a=1,b=2");
  EXPECT_TRUE(read->is_recorded());
  EXPECT_FALSE(
      parse_trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02", "")->is_recorded());
}

TEST(TraceContext, WhatIsNotOneIsRefused) {
  for (const std::string_view text : {
           "",
           "00",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
           "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",   // upper case
           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",   // no trace
           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",   // no span
           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",   // no version
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",  // too long for its version
           "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
           "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
           "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
       })
    EXPECT_FALSE(parse_trace(text, "")) << text;
  EXPECT_TRUE(parse_trace("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", ""));
}

TEST(TraceContext, AStateThatIsTooMuchIsLeftOut) {
  EXPECT_EQ(parse_trace(kParent, "a=" + std::string(kMostTraceState, 'x'))->state, "");
  EXPECT_EQ(parse_trace(kParent, "a=1\r\nx: y")->state, "");
  EXPECT_EQ(parse_trace(kParent, std::string(32, ','))->state, "");
}

TEST(Tracer, WhoAsksDecidesWhetherTheTraceIsRecorded) {
  Tracer tracer({.ratio = 0}, system_clock());
  const auto parent = parse_trace(kParent, "a=1");
  const TraceContext here = tracer.below(parent);
  EXPECT_EQ(here.trace, parent->trace);
  EXPECT_NE(here.span, parent->span);
  EXPECT_EQ(here.state, "a=1");
  {
    const Span span = tracer.begin(here, parent, "GET /", SpanRecord::Kind::server);
  }
  const auto spans = tracer.take();
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_EQ(spans[0].parent, parent->span);
  EXPECT_EQ(spans[0].context.span, here.span);
  EXPECT_GE(spans[0].end, spans[0].begin);
}

TEST(Tracer, ATraceThatBeginsHereIsRecordedByChance) {
  Tracer never({.ratio = 0}, system_clock()), half({.ratio = 0.5}, system_clock());
  int recorded = 0;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(never.below({}).is_recorded());
    recorded += half.below({}).is_recorded() ? 1 : 0;
  }
  EXPECT_GT(recorded, 350);
  EXPECT_LT(recorded, 650);
  const TraceContext here = never.below({});
  EXPECT_FALSE(never.begin(here, {}, "x", SpanRecord::Kind::internal));
  EXPECT_EQ(never.waiting(), 0U);
  EXPECT_TRUE(parse_trace(here.traceparent(), ""));
}

TEST(Tracer, SpansBeyondItsBoundAreDroppedAndCounted) {
  Tracer tracer({.waiting = 2}, system_clock());
  for (int i = 0; i < 5; ++i) tracer.begin(tracer.below({}), {}, "x", SpanRecord::Kind::internal);
  EXPECT_EQ(tracer.waiting(), 2U);
  EXPECT_EQ(tracer.figures().dropped.value(), 3U);
  EXPECT_EQ(tracer.take().size(), 2U);
  EXPECT_EQ(tracer.waiting(), 0U);
}

TEST(Span, ValuesAndEventsAreBounded) {
  Tracer tracer({}, system_clock());
  {
    Span span = tracer.begin(tracer.below({}), {}, "x", SpanRecord::Kind::internal);
    for (int i = 0; i < 100; ++i) span.say("text", std::string(5000, 'x'));
    for (int i = 0; i < 100; ++i) span.happened("run");
    span.fail(Code::conflict);
    Span moved = std::move(span);
  }
  const auto spans = tracer.take();
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_EQ(spans[0].attributes.size(), 32U);
  EXPECT_EQ(std::get<std::string>(spans[0].attributes[0].second).size(), 1024U);
  EXPECT_EQ(spans[0].events.size(), 64U);
  EXPECT_EQ(spans[0].failure, "conflict");
}

}  // namespace
}  // namespace carrel::observe
