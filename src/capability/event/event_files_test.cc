#include "capability/event/event_files.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>

#include "async/event.h"
#include "net/memory_reply.h"
#include "turn/state.h"
#include "wasi/test_io.h"

namespace carrel::capability::event {
namespace {

using wasi::Errno;

// As a connection's: for one who waits.
class Slow final : public async::ByteSource {
 public:
  std::size_t read(std::span<std::byte> into) override {
    if (!there || into.empty()) return 0;
    there = false;
    into[0] = std::byte{'x'};
    return 1;
  }
  bool ready() const override { return there; }
  bool finished() const override { return false; }
  async::Task<Result<void>> wait() override {
    co_await more;
    there = true;
    co_return Result<void>();
  }
  async::Event more;
  bool there = false;
};

class NoLog final : public turn::GuestLog {
 public:
  void line(const turn::ModuleSetup&, std::uint64_t, std::string_view) override {}
};

class EventBody : public ::testing::Test {
 protected:
  EventBody() { event.body = &body; }

  async::Task<void> wait() { return wait_at(*file); }
  async::Task<void> wait_at(wasi::OpenFile& at) {
    EXPECT_EQ(at.readable(io).error(), Errno::again);
    io.waiting.start();
    return std::move(io.waiting);
  }

  Slow body;
  turn::ModuleSetup setup;
  turn::Event event;
  net::MemoryReply reply;
  NoLog log;
  turn::Turn turn{.module = setup, .event = event, .reply = reply, .log = log};
  wasi::testing::TestIo io;
  std::unique_ptr<wasi::OpenFile> file = open_body(turn);
};

TEST_F(EventBody, AllWhoWaitForMoreOfItAreWoken) {
  auto first = wait(), second = wait();
  body.more.signal();
  EXPECT_TRUE(first.done());
  EXPECT_TRUE(second.done());
  std::array<std::byte, 2> part;
  const std::span<std::byte> bytes(part);
  EXPECT_EQ(file->read(io, {&bytes, 1}), 1u);
  auto third = wait();
  body.more.signal();
  EXPECT_TRUE(third.done());
}

TEST_F(EventBody, AllThatAreOpenOfItWaitTogether) {
  const auto node = event_files(turn);
  const auto other = node->open(io, "body", {.read = true});
  const auto third = open_body(turn);
  ASSERT_TRUE(other);
  auto first = wait(), second = wait_at(**other), last = wait_at(*third);
  EXPECT_FALSE(first.done() || second.done() || last.done());
  first = {};
  EXPECT_TRUE(body.more.waiting());
  body.more.signal();
  EXPECT_TRUE(second.done());
  EXPECT_TRUE(last.done());
}

TEST_F(EventBody, NobodyWaitsForItWhenAllHaveGivenUp) {
  auto first = wait(), second = wait();
  first = {};
  EXPECT_TRUE(body.more.waiting());
  second = {};
  EXPECT_FALSE(body.more.waiting());
  auto third = wait();
  file.reset();
  third = {};
  EXPECT_FALSE(body.more.waiting());
}

}  // namespace
}  // namespace carrel::capability::event
