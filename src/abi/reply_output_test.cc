#include "abi/reply_output.h"

#include <gtest/gtest.h>

#include "async/event.h"
#include "async/shard.h"
#include "net/memory_reply.h"

namespace carrel::abi {
namespace {

class FakeIo final : public wasi::IoContext {
 public:
  void wait_for(async::Task<void> until) override { waiting = std::move(until); }
  const Clock& clock() const override { return system_clock(); }
  bool charge_memory(std::int64_t) override { return true; }
  async::Task<void> waiting;
};

// A client that takes nothing until it is told to.
class SlowReply final : public net::ReplySink {
 public:
  explicit SlowReply(async::Event& go) : go_(go) {}
  bool started() const override { return started_; }
  async::Task<Result<void>> send(net::ReplyHead, std::string_view) override {
    co_return Result<void>();
  }
  async::Task<Result<void>> start(net::ReplyHead, std::optional<std::uint64_t>) override {
    started_ = true;
    co_return Result<void>();
  }
  async::Task<Result<void>> write(std::string_view bytes) override {
    co_await go_;
    body += bytes;
    if (gone) co_return fail(Code::connection_closed);
    co_return Result<void>();
  }
  async::Task<Result<void>> finish() override { co_return Result<void>(); }
  void abort() override {}
  std::string body;
  bool gone = false;

 private:
  async::Event& go_;
  bool started_ = false;
};

wasi::Io<std::size_t> write(ReplyOutput& output, FakeIo& io, std::string_view text) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(text.data(), text.size()));
  return output.write(io, std::span(&bytes, 1));
}

async::Task<void> finish(ReplyOutput& output, Result<void>* result) {
  *result = co_await output.finish();
}

Result<void> finished(ReplyOutput& output) {
  async::Shard shard;
  Result<void> result;
  shard.run_until_done(finish(output, &result));
  return result;
}

TEST(ReplyOutput, SendsASmallReplyWhole) {
  net::MemoryReply reply;
  ReplyOutput output(reply, ReplyForm::cgi);
  FakeIo io;
  EXPECT_EQ(write(output, io, "Status: 201\n\nma"), 15u);
  EXPECT_EQ(write(output, io, "de"), 2u);
  EXPECT_FALSE(reply.started());
  EXPECT_TRUE(finished(output).has_value());
  EXPECT_EQ(reply.head().status, 201);
  EXPECT_EQ(reply.body(), "made");
}

TEST(ReplyOutput, GivesTrailersOrRefusesThem) {
  FakeIo io;
  net::MemoryReply reply;
  ReplyOutput output(reply, ReplyForm::given);
  output.give_head({.status = 200});
  EXPECT_EQ(write(output, io, "body"), 4u);
  output.give_trailers({{"x-sum", "1"}});
  EXPECT_TRUE(finished(output).has_value());
  EXPECT_EQ(reply.trailers(), (net::Fields{{"x-sum", "1"}}));
  for (const auto& [name, value] : net::Fields{
           {"Content-Length", "3"}, {"set-cookie", "a=b"}, {"x y", "z"}, {"x", "a\r\nb: c"}}) {
    net::MemoryReply none;
    ReplyOutput refusing(none, ReplyForm::given);
    refusing.give_head({.status = 200});
    refusing.give_trailers({{name, value}});
    EXPECT_EQ(finished(refusing).error().code(), Code::guest_bad_reply) << name;
    EXPECT_FALSE(none.started());
  }
}

TEST(ReplyOutput, FailsWithoutAHead) {
  net::MemoryReply reply;
  ReplyOutput nothing(reply, ReplyForm::cgi);
  EXPECT_EQ(finished(nothing).error().code(), Code::guest_bad_reply);
  ReplyOutput half(reply, ReplyForm::cgi);
  FakeIo io;
  (void)write(half, io, "Content-Type: text/plain\n");
  EXPECT_EQ(finished(half).error().code(), Code::guest_bad_reply);
  EXPECT_FALSE(reply.started());
}

TEST(ReplyOutput, BreaksThePipeOnABadHead) {
  net::MemoryReply reply;
  ReplyOutput output(reply, ReplyForm::cgi);
  FakeIo io;
  EXPECT_EQ(write(output, io, "no colon\n\n").error(), wasi::Errno::pipe);
  ASSERT_TRUE(output.failure().has_value());
  EXPECT_EQ(write(output, io, "more").error(), wasi::Errno::pipe);
}

TEST(ReplyOutput, RefusesAHeadWithoutEnd) {
  net::MemoryReply reply;
  ReplyOutput output(reply, ReplyForm::cgi);
  FakeIo io;
  const std::string line = "X-Header: " + std::string(1000, 'x') + "\n";
  for (int i = 0; i < 100 && !output.failure(); ++i) (void)write(output, io, line);
  ASSERT_TRUE(output.failure().has_value());
  EXPECT_EQ(output.failure()->code(), Code::guest_bad_reply);
}

TEST(ReplyOutput, SendsWhatIsThereWhenTheGuestWaits) {
  net::MemoryReply reply;
  ReplyOutput output(reply, ReplyForm::cgi);
  FakeIo io;
  (void)write(output, io, "Content-Type: a/b\n");
  output.send_soon();
  EXPECT_FALSE(reply.started());
  (void)write(output, io, "\nfirst ");
  output.send_soon();
  EXPECT_TRUE(reply.started());
  EXPECT_EQ(reply.body(), "first ");
  (void)write(output, io, "second");
  EXPECT_TRUE(finished(output).has_value());
  EXPECT_EQ(reply.body(), "first second");
  EXPECT_TRUE(reply.finished());
}

TEST(ReplyOutput, HoldsAGuestThatWritesFasterThanTheClientReads) {
  async::Event go;
  SlowReply reply(go);
  ReplyOutput output(reply, ReplyForm::plain);
  FakeIo io;
  const std::string block(60 << 10, 'x');
  std::size_t taken = 0;
  wasi::Io<std::size_t> result = 0;
  for (int i = 0; i < 100 && result; ++i) {
    result = write(output, io, block);
    if (result) taken += *result;
  }
  EXPECT_EQ(result.error(), wasi::Errno::again);
  EXPECT_LT(taken, 1u << 20);
  ASSERT_TRUE(static_cast<bool>(io.waiting));
  io.waiting.start();
  EXPECT_FALSE(io.waiting.done());
  const async::Task<void> other = std::exchange(io.waiting, {});  // of another stream
  do result = write(output, io, block);
  while (result);
  EXPECT_EQ(result.error(), wasi::Errno::again);
  io.waiting.start();
  go.signal();
  EXPECT_TRUE(io.waiting.done());
  EXPECT_TRUE(other.done());
  (void)write(output, io, block);  // sends what had been taken meanwhile, and so makes room
  EXPECT_TRUE(write(output, io, block).has_value());
}

TEST(ReplyOutput, TellsAGuestWhoseClientIsGone) {
  async::Event go;
  SlowReply reply(go);
  reply.gone = true;
  ReplyOutput output(reply, ReplyForm::plain);
  FakeIo io;
  (void)write(output, io, "x");
  output.send_soon();
  go.signal();
  EXPECT_EQ(write(output, io, "y").error(), wasi::Errno::pipe);
  EXPECT_EQ(finished(output).error().code(), Code::connection_closed);
}

}  // namespace
}  // namespace carrel::abi
