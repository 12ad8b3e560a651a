#include "cli/event_stream.h"

#include <gtest/gtest.h>

namespace carrel::cli {
namespace {

TEST(EventStream, FindsTheSameEventsWhereverThePiecesEnd) {
  const std::string text =
      ": hello\n\nevent: put\ndata: {\"name\":\"a\"}\n\nevent: gap\r\ndata: {}\r\n\r\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    EventStream stream;
    auto events = stream.take(std::string_view(text).substr(0, cut));
    for (auto& event : stream.take(std::string_view(text).substr(cut))) events.push_back(event);
    ASSERT_EQ(events.size(), 2U) << cut;
    EXPECT_EQ(events[0].name, "put");
    EXPECT_EQ(events[0].data, R"({"name":"a"})");
    EXPECT_EQ(events[1].name, "gap");
    EXPECT_EQ(events[1].data, "{}");
  }
}

TEST(EventStream, PassesOverALineWithoutEndInBoundedMemory) {
  EventStream stream;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(stream.take(std::string(10'000, 'x')).empty());
  EXPECT_FALSE(stream.begun());
  EXPECT_EQ(stream.take("\nevent: put\ndata: 1\n\n").size(), 1U);
  EXPECT_TRUE(stream.begun());
}

}  // namespace
}  // namespace carrel::cli
