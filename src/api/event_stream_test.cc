#include "api/event_stream.h"

#include <gtest/gtest.h>

#include "net/memory_reply.h"

namespace carrel::api {
namespace {

using async::Task;

class Source : public EventSource {
 public:
  async::Event& news() override { return event; }
  Task<std::vector<std::string>> take() override { co_return std::exchange(waiting, {}); }
  Task<Result<void>> still_allowed() override {
    if (++looks < 3) co_return Result<void>();
    co_return fail(Code::unauthenticated, "the token was revoked");
  }

  async::Event event;
  std::vector<std::string> waiting;
  int looks = 0;
};

TEST(EventStream, SaysWhatComesAndEndsWithTheReasonWhenItsClientMayNotHaveMore) {
  async::Shard shard;
  Source source;
  source.waiting = {"event: a\ndata: 1\n\n", "event: a\ndata: 2\n\n"};
  source.event.signal();
  net::MemoryReply reply;
  shard.run_until_done(
      stream_events(&shard, &source, "begun", &reply, std::chrono::milliseconds(1)));
  EXPECT_EQ(source.looks, 3);
  EXPECT_EQ(reply.body(),
            "event: begun\ndata: {}\n\nevent: a\ndata: 1\n\nevent: a\ndata: 2\n\n"
            ":\n\n:\n\nevent: end\ndata: "
            R"({"code":"unauthenticated","reason":"the token was revoked"})"
            "\n\n");
}

// News all the time leave no silence in which to look.
TEST(EventStream, LooksAlsoWhileThereIsMuchToSay) {
  class Busy : public Source {
   public:
    Task<std::vector<std::string>> take() override {
      event.signal();
      co_return std::vector<std::string>{"event: a\ndata: 1\n\n"};
    }
  };
  async::Shard shard;
  Busy source;
  source.event.signal();
  net::MemoryReply reply;
  shard.run_until_done(
      stream_events(&shard, &source, "begun", &reply, std::chrono::milliseconds(1)));
  EXPECT_EQ(source.looks, 3);
}

}  // namespace
}  // namespace carrel::api
