#include "capability/http/test_calls.h"

namespace carrel::capability::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(HttpCalls, ALongBodyLeavesAsItIsWritten) {
  caller.answers = {{.body = "well"}};
  const std::string body = pattern(3 << 20);
  const auto file = open();
  pour(*file, kPost + body);
  ASSERT_EQ(caller.requests.size(), 1u) << "it does not wait for the end";
  EXPECT_FALSE(caller.requests[0].stream->length);
  EXPECT_EQ(caller.requests[0].body, "");
  EXPECT_LT(io.charged, 2 << 20);
  EXPECT_EQ(read(*file), kHead + "well");
  EXPECT_EQ(caller.streamed, body);
}

TEST_F(HttpCalls, ARequestThatIsSyncedIsOnItsWay) {
  caller.answers = {{.body = "well"}};
  const auto file = open();
  pour(*file, "POST https://rates.test/x\nContent-Length: 6\n\none");
  EXPECT_TRUE(file->sync(io));
  ASSERT_EQ(caller.requests.size(), 1u);
  EXPECT_EQ(caller.requests[0].stream->length, 6u);
  pour(*file, "two");
  EXPECT_EQ(caller.streamed, "onetwo");
  EXPECT_TRUE(file->sync(io));
  EXPECT_EQ(read(*file), kHead + "well");
}

TEST_F(HttpCalls, AStreamOfNoRequestFailsAsItWouldWhole) {
  for (const auto& [message, number] :
       {std::pair("POST https://evil.test/\n\n", Errno::acces),
        std::pair("POST https://rates.test/\nContent-Length: 1x\n\n", Errno::inval),
        std::pair("POST https://rates.test/\nContent-Length: 1\nContent-Length: 1\n\n",
                  Errno::inval),
        std::pair("no request\n\n", Errno::inval)}) {
    const auto file = open();
    pour(*file, message);
    EXPECT_TRUE(file->sync(io));
    pour(*file, pattern(1 << 20));
    EXPECT_EQ(read(*file), text_of(number)) << message;
  }
  EXPECT_THAT(caller.requests, IsEmpty());
}

TEST_F(HttpCalls, WhoWritesFasterThanItLeavesWaitsUntilNobodyWantsMore) {
  async::Event hold;
  caller.hold = &hold;
  caller.answers = {{.body = "enough"}};
  const auto file = open();
  pour(*file, kPost);
  EXPECT_TRUE(file->sync(io));
  pour(*file, pattern(BodyPipe::kMost));
  EXPECT_EQ(write(*file, "more"), Errno::again);
  EXPECT_EQ(file->writable(io).error(), Errno::again);
  io.waiting.start();
  EXPECT_FALSE(io.waiting.done());
  hold.signal();
  EXPECT_TRUE(io.waiting.done());
  pour(*file, pattern(1 << 20));
  EXPECT_EQ(read(*file), kHead + "enough");
}

TEST_F(HttpCalls, AnotherRunThatStreamsTheSameIsGivenTheResponse) {
  caller.answers = {
      {.body = "one"}, {.error = Error(Code::egress_closed, "gone")}, {.body = "two"}};
  const std::string body = pattern(2 << 20);
  const auto stream = [&](std::string_view end) {
    const auto file = open();
    pour(*file, kPost + body);
    pour(*file, end);
    return read(*file);
  };
  const std::vector first = {stream("x"), stream("x"), call(kGet)};
  EXPECT_THAT(first, ElementsAre(kHead + "one", text_of(Errno::connreset), kHead + "two"));
  ASSERT_TRUE(state->calls.rewind());
  run();
  EXPECT_EQ((std::vector{stream("x"), stream("x"), call(kGet)}), first);
  ASSERT_TRUE(state->calls.rewind());
  run();
  EXPECT_EQ(stream("y"), text_of(Errno::io));
  EXPECT_TRUE(state->calls.diverged());
  EXPECT_EQ(stream("x"), text_of(Errno::io));
  EXPECT_EQ(caller.requests.size(), 3u);
}

TEST_F(HttpCalls, WhetherARequestWasStreamedIsNothingToAnotherRun) {
  caller.answers = {{.body = "one"}, {.body = "two"}};
  const auto synced = [&] {
    const auto file = open();
    pour(*file, kPost);
    EXPECT_TRUE(file->sync(io));
    pour(*file, "body");
    return read(*file);
  };
  EXPECT_EQ(synced(), kHead + "one");
  EXPECT_EQ(call(kPost + "body"), kHead + "two");
  ASSERT_TRUE(state->calls.rewind());
  run();
  EXPECT_EQ(call(kPost + "body"), kHead + "one");
  EXPECT_EQ(synced(), kHead + "two");
  EXPECT_EQ(caller.requests.size(), 2u);
}

TEST_F(HttpCalls, ABodyMayBeWrittenInChunksWithTrailersBehindIt) {
  caller.answers = {{.body = "one"}, {.body = "two"}, {.body = "three"}};
  const auto streamed = [&](std::string_view first, std::string_view rest) {
    const auto file = open();
    pour(*file, kInChunks + std::string(first));
    EXPECT_TRUE(file->sync(io));
    for (const char c : rest) pour(*file, {&c, 1});
    EXPECT_EQ(write(*file, "more"), Errno::pipe) << "it has ended";
    return read(*file);
  };
  EXPECT_EQ(call(kInChunks + "3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n"), kHead + "one");
  EXPECT_EQ(caller.requests[0].body, "hello");
  EXPECT_EQ(caller.requests[0].trailers, (net::Fields{{"X-Sum", "1"}}));
  EXPECT_EQ(call(kInChunks + "0\r\n\r\n"), kHead + "two");
  EXPECT_EQ(caller.requests[1].body, "");
  EXPECT_THAT(caller.requests[1].trailers, IsEmpty());
  EXPECT_EQ(streamed("5\r\nhe", "llo\r\n1\r\n!\r\n0\r\nX-Sum: 2\r\n\r\n"), kHead + "three");
  EXPECT_EQ(caller.streamed, "hello!");
  EXPECT_EQ(caller.streamed_trailers, (net::Fields{{"X-Sum", "2"}}));
  ASSERT_TRUE(state->calls.rewind());
  run();
  EXPECT_EQ(streamed("", "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"), kHead + "one");
  EXPECT_EQ(streamed("0\r\n", "\r\n"), kHead + "two");
  EXPECT_EQ(call(kInChunks + "6\r\nhello!\r\n0\r\nX-Sum: 2\r\n\r\n"), kHead + "three");
  ASSERT_TRUE(state->calls.rewind());
  run();
  EXPECT_EQ(call(kInChunks + "5\r\nhello\r\n0\r\nX-Sum: 3\r\n\r\n"), text_of(Errno::io));
  EXPECT_EQ(caller.requests.size(), 3U);
}

TEST_F(HttpCalls, ChunksThatDoNotEndWellAreNoRequest) {
  const std::string_view bad[] = {"x", "3\r\nhello", "0\r\nContent-Length: 1\r\n\r\n",
                                  "1\r\na\r\n0\r\nAuthorization: me\r\n\r\n"};
  for (const std::string_view body : bad) {
    caller.answers = {{.body = "never"}};
    EXPECT_EQ(call(kInChunks + std::string(body)), text_of(Errno::proto)) << body;
    const auto file = open();
    pour(*file, kInChunks);
    EXPECT_TRUE(file->sync(io));
    EXPECT_EQ(write(*file, body), Errno::success);
    EXPECT_EQ(write(*file, "0\r\n\r\n"), Errno::pipe);
    EXPECT_EQ(read(*file), text_of(Errno::proto)) << body;
  }
  EXPECT_THAT(log.all, HasSubstr("a trailer that may not be one"));
  ASSERT_TRUE(state->calls.rewind());
  run();
  for (const std::string_view body : bad) {
    EXPECT_EQ(call(kInChunks + std::string(body)), text_of(Errno::proto)) << body;
    EXPECT_EQ(call(kInChunks + std::string(body)), text_of(Errno::proto)) << body;
  }
}

TEST_F(HttpCalls, AnAnswerThatComesEarlyCutsAStreamInChunksOff) {
  async::Event hold;
  for (const bool fails : {false, true}) {
    caller.hold = &hold;
    caller.answers.push_back({.body = "enough"});
    if (fails) caller.answers.back().error = Error(Code::egress_closed, "gone");
    const auto file = open();
    pour(*file, kInChunks + "3\r\nhel\r\n");
    EXPECT_TRUE(file->sync(io));
    EXPECT_EQ(file->readable(io).error(), Errno::again) << "which ends nothing";
    const async::Task<void> reader = std::exchange(io.waiting, {});
    pour(*file, "4\r\nlo");
    hold.signal();
    pour(*file, "!!\r\n");
    EXPECT_EQ(read(*file), fails ? text_of(Errno::connreset) : kHead + "enough");
    EXPECT_EQ(write(*file, "0\r\n\r\n"), Errno::pipe);
  }
  const std::vector first = {kHead + "enough", text_of(Errno::connreset)};
  ASSERT_TRUE(state->calls.rewind());
  run();
  for (const auto& answer : first) {
    const auto file = open();
    pour(*file, kInChunks);
    EXPECT_TRUE(file->sync(io));
    pour(*file, "4\r\nhell\r\n");
    EXPECT_EQ(file->readable(io).error(), Errno::again) << "not before the same place";
    io.waiting.start();
    pour(*file, "9\r\no!!");
    EXPECT_TRUE(io.waiting.done());
    EXPECT_EQ(write(*file, "and on"), Errno::pipe);
    EXPECT_EQ(read(*file), answer);
  }
  ASSERT_TRUE(state->calls.rewind());
  run();
  for (const auto& answer : first)
    EXPECT_EQ(call(kInChunks + "b\r\nhello!! you\r\n0\r\n\r\n"), answer) << "now whole";
  ASSERT_TRUE(state->calls.rewind());
  run();
  EXPECT_EQ(call(kInChunks + "7\r\nhello!?\r\n0\r\n\r\n"), text_of(Errno::io));
  EXPECT_TRUE(state->calls.diverged());
  EXPECT_EQ(caller.requests.size(), 2U);
}

TEST_F(HttpCalls, AStreamThatIsClosedCancelsItsCallAndTheLogSaysSo) {
  auto file = open();
  pour(*file, kPost);
  EXPECT_TRUE(file->sync(io));
  EXPECT_TRUE(file->close(io));
  file.reset();
  EXPECT_THAT(log.all, HasSubstr("closed before its response was read"));
  EXPECT_FALSE(state->calls.rewind());
}

}  // namespace
}  // namespace carrel::capability::http
