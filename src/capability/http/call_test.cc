#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "async/event.h"
#include "capability/http/call_file.h"
#include "capability/http/http.h"
#include "capability/state/test_turn.h"

namespace carrel::capability::http {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using wasi::Errno;

// A body that comes in two parts, the second when it is asked for, and perhaps breaks off.
class Parts final : public async::ByteSource {
 public:
  Parts(std::string text, bool breaks) : left_(std::move(text)), breaks_(breaks) {}
  std::size_t read(std::span<std::byte> into) override {
    const std::size_t n = std::min({into.size(), left_.size(), open_});
    std::memcpy(into.data(), left_.data(), n);
    left_.erase(0, n);
    open_ -= n;
    return n;
  }
  bool ready() const override { return open_ > 0 && !left_.empty(); }
  bool finished() const override { return left_.empty() && !breaks_; }
  async::Task<Result<void>> wait() override {
    if (left_.empty() && breaks_) co_return fail(Code::egress_closed, "the response ended early");
    open_ = left_.size();
    co_return Result<void>();
  }

 private:
  std::string left_;
  std::size_t open_ = 2;
  bool breaks_;
};

class Response final : public net::IncomingResponse {
 public:
  Response(net::ReplyHead head, std::string body, bool breaks, net::Fields trailers)
      : head_(std::move(head)), body_(std::move(body), breaks), trailers_(std::move(trailers)) {}
  const net::ReplyHead& head() const override { return head_; }
  async::ByteSource& body() override { return body_; }
  net::Fields trailers() const override { return trailers_; }

 private:
  net::ReplyHead head_;
  Parts body_;
  net::Fields trailers_;
};

struct Answer {
  net::ReplyHead head{.status = 200, .headers = {{"X", "y"}}};
  std::string body;
  bool breaks = false;
  std::optional<Error> error;
  net::Fields trailers = {};
};

// Answers in order, once it is let.
class FakeCaller final : public net::Caller {
 public:
  std::deque<Answer> answers;
  std::vector<net::OutgoingRequest> requests;
  std::string streamed;  // of the last one's body
  net::Fields streamed_trailers;
  net::CallLimits last;
  async::Event* hold = nullptr;

  async::Task<Result<std::unique_ptr<net::IncomingResponse>>> send(
      TenantName, net::OutgoingRequest request, net::CallLimits limits) override {
    requests.push_back(std::move(request));
    last = limits;
    streamed.clear();
    if (const auto stream = requests.back().stream; stream && hold == nullptr) {
      while (!stream->source->finished()) {
        std::array<std::byte, 5000> part;
        const std::size_t n = stream->source->read(part);
        streamed.append(reinterpret_cast<const char*>(part.data()), n);
        if (n == 0 && !stream->source->finished()) (void)co_await stream->source->wait();
      }
      streamed_trailers = *stream->trailers;
    }
    if (hold != nullptr) co_await *hold;
    if (answers.empty()) co_return fail(Code::egress_failed, "nobody answers");
    Answer answer = std::move(answers.front());
    answers.pop_front();
    if (answer.error) co_return std::unexpected(*answer.error);
    co_return std::make_unique<Response>(std::move(answer.head), std::move(answer.body),
                                         answer.breaks, std::move(answer.trailers));
  }
};

class HttpCalls : public state::StoredTurn {
 protected:
  void SetUp() override {
    setup.grants.http = {
        {.methods = {}, .scheme = "https", .host = "rates.test", .port = 443},
        {.methods = {"GET", "POST"}, .scheme = "https", .host = "b.test", .port = 443}};
    services.client = &caller;
    StoredTurn::open();
  }
  void mount_all() override {
    state->key = "turn";
    run();
  }
  void unmount_all() override { node.reset(); }
  void run() { node = mount(turn); }  // of the guest, from its start

  std::unique_ptr<wasi::OpenFile> open() {
    auto file = node->open(io, "new", {.read = true, .write = true});
    return file ? std::move(*file) : nullptr;
  }
  Errno write(wasi::OpenFile& file, std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    const auto done = file.write(io, {&bytes, 1});
    return done ? Errno::success : done.error();
  }
  // To the end, or "(errno)" where it fails.
  std::string read(wasi::OpenFile& file) {
    std::string text;
    while (true) {
      std::array<std::byte, 7> part;
      const std::span<std::byte> bytes(part);
      const auto done = ask([&] { return file.read(io, {&bytes, 1}); });
      if (!done) return text + "(" + std::to_string(static_cast<int>(done.error())) + ")";
      if (*done == 0) return text;
      text.append(reinterpret_cast<const char*>(part.data()), *done);
    }
  }
  // All of it, waiting where it has to.
  void pour(wasi::OpenFile& file, std::string_view text) {
    while (!text.empty()) {
      const auto bytes = std::as_bytes(std::span(text));
      const auto done = ask([&] { return file.write(io, {&bytes, 1}); });
      ASSERT_TRUE(done);
      text.remove_prefix(*done);
    }
  }
  std::string call(std::string_view message) {
    const auto file = open();
    EXPECT_EQ(write(*file, message), Errno::success);
    return read(*file);
  }
  static std::string text_of(Errno error) {
    return "(" + std::to_string(static_cast<int>(error)) + ")";
  }

  FakeCaller caller;
  std::shared_ptr<wasi::Node> node;
};

const std::string kGet = "GET https://rates.test/x?secret=1 HTTP/1.1\n\n";
const std::string kHead = "HTTP/1.1 200 \r\nX: y\r\n\r\n";

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  return text;
}

TEST_F(HttpCalls, ARequestIsSentWhenItsResponseIsRead) {
  caller.answers = {{.body = "hello, world"}};
  const auto file = open();
  EXPECT_EQ(write(*file, "POST https://rates.test/x\nA: b\n\n"), Errno::success);
  EXPECT_EQ(write(*file, "body"), Errno::success);
  EXPECT_THAT(caller.requests, IsEmpty());
  EXPECT_EQ(read(*file), kHead + "hello, world");
  ASSERT_EQ(caller.requests.size(), 1u);
  EXPECT_EQ(caller.requests[0].body, "body");
  EXPECT_THAT(caller.requests[0].headers,
              ElementsAre(Pair("A", "b"), Pair("Idempotency-Key", "turn-0")));
  EXPECT_EQ(write(*file, "more"), Errno::pipe);
  EXPECT_LT(caller.last.total, setup.limits.time);
  EXPECT_EQ(log.all, "");
}

TEST_F(HttpCalls, TheGuestsOwnKeyIsKept) {
  caller.answers = {{}, {}};
  call("POST https://rates.test/x\nidempotency-key: mine\n\n");
  call(kGet);
  EXPECT_THAT(caller.requests[0].headers, ElementsAre(Pair("idempotency-key", "mine")));
  EXPECT_THAT(caller.requests[1].headers, ElementsAre(Pair("Idempotency-Key", "turn-1")));
}

TEST_F(HttpCalls, WhatIsNotGrantedIsRefusedAndTheLogSaysWhatToAdd) {
  EXPECT_EQ(call("GET https://evil.test/?secret=1\n\n"), text_of(Errno::acces));
  EXPECT_EQ(call("PUT https://b.test/\n\n"), text_of(Errno::acces));
  EXPECT_EQ(call("not a message"), text_of(Errno::inval));
  EXPECT_THAT(caller.requests, IsEmpty());
  EXPECT_THAT(log.all, HasSubstr("add \"GET https://evil.test\" to `http` in its `grants`"));
  EXPECT_THAT(log.all, testing::Not(HasSubstr("secret")));
}

TEST_F(HttpCalls, WithoutAGrantThereIsNoDevice) {
  setup.grants.http.clear();
  EXPECT_EQ(mount(turn), nullptr);
}

TEST_F(HttpCalls, FailuresHaveTheirErrnoAndALine) {
  caller.answers = {{.error = Error(Code::egress_address, "10.0.0.1 is private")}};
  EXPECT_EQ(call(kGet), text_of(Errno::perm));
  EXPECT_THAT(log.all, HasSubstr("/http/new: GET https://rates.test: 10.0.0.1 is private (if it "
                                 "is meant to be called, start the server with --allow-egress"));
  const std::pair<Code, Errno> numbers[] = {
      {Code::egress_failed, Errno::hostunreach},  {Code::egress_name, Errno::noent},
      {Code::egress_refused, Errno::connrefused}, {Code::egress_timeout, Errno::timedout},
      {Code::egress_tls, Errno::connaborted},     {Code::egress_closed, Errno::connreset},
      {Code::egress_bad_response, Errno::proto},  {Code::egress_too_large, Errno::msgsize},
      {Code::invalid_argument, Errno::inval},     {Code::store_failed, Errno::io}};
  for (const auto& [code, number] : numbers) {
    caller.answers = {{.error = Error(code, "a cause")}};
    EXPECT_EQ(call(kGet), text_of(number)) << code_name(code);
  }
  services.client = nullptr;
  EXPECT_EQ(call(kGet), text_of(Errno::netdown));
}

TEST_F(HttpCalls, ABodyThatBreaksOffIsAnErrorAfterItsBytes) {
  caller.answers = {{.body = "half", .breaks = true}};
  EXPECT_EQ(call(kGet), kHead + "half" + text_of(Errno::connreset));
}

const std::string kWithTrailers = "GET https://rates.test/x HTTP/1.1\nTE: trailers\n\n";
const std::string kChunkedHead = "HTTP/1.1 200 \r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST_F(HttpCalls, TrailersFollowABodyInChunksForWhoTakesThem) {
  caller.answers = {{.body = "hello, world", .trailers = {{"X-Sum", "1"}, {"X-Two", "2"}}},
                    {.body = "", .trailers = {{"X-Sum", "1"}}},
                    {.head = {.status = 200, .headers = {{"content-length", "2"}}}, .body = "ok"},
                    {.body = "plain", .trailers = {{"X-Sum", "1"}}}};
  const std::string chunked =
      kChunkedHead + "2\r\nhe\r\na\r\nllo, world\r\n0\r\nX-Sum: 1\r\nX-Two: 2\r\n\r\n";
  EXPECT_EQ(call(kWithTrailers), chunked);
  EXPECT_TRUE(caller.requests[0].takes_trailers);
  const std::string empty = kChunkedHead + "0\r\nX-Sum: 1\r\n\r\n";
  EXPECT_EQ(call(kWithTrailers), empty);
  const std::string whole = "HTTP/1.1 200 \r\ncontent-length: 2\r\n\r\nok";
  EXPECT_EQ(call(kWithTrailers), whole) << "no trailers follow what has a length";
  EXPECT_EQ(call(kGet), kHead + "plain");
  ASSERT_TRUE(state->calls.rewind());
  run();
  EXPECT_EQ(call(kWithTrailers),
            kChunkedHead + "c\r\nhello, world\r\n0\r\nX-Sum: 1\r\nX-Two: 2\r\n\r\n");
  EXPECT_EQ(call(kWithTrailers), empty);
  EXPECT_EQ(call(kWithTrailers), whole);
  EXPECT_EQ(caller.requests.size(), 4U);
}

TEST_F(HttpCalls, ABodyInChunksThatBreaksOffHasNoEnd) {
  caller.answers = {{.body = "half", .breaks = true}};
  const std::string broken = kChunkedHead + "2\r\nha\r\n2\r\nlf\r\n" + text_of(Errno::connreset);
  EXPECT_EQ(call(kWithTrailers), broken);
  ASSERT_TRUE(state->calls.rewind());
  run();
  EXPECT_EQ(call(kWithTrailers), kChunkedHead + "4\r\nhalf\r\n" + text_of(Errno::connreset));
}

TEST_F(HttpCalls, AnotherRunIsGivenTheResponsesOfTheFirst) {
  caller.answers = {{.body = "one"},
                    {.error = Error(Code::egress_failed, "no")},
                    {.body = "half", .breaks = true},
                    {.body = "new"}};
  std::vector<std::string> first;
  for (int i = 0; i < 3; ++i) first.push_back(call(kGet));
  ASSERT_TRUE(state->calls.rewind());
  run();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(call(kGet), first[static_cast<std::size_t>(i)]);
  EXPECT_EQ(caller.requests.size(), 3u);
  EXPECT_EQ(call(kGet), kHead + "new");
  EXPECT_EQ(caller.requests.size(), 4u);
  EXPECT_THAT(caller.requests[3].headers, Contains(Pair("Idempotency-Key", "turn-3")));
}

TEST_F(HttpCalls, AnotherRunThatCallsSomethingElseIsAConflict) {
  caller.answers = {{.body = "one"}};
  call(kGet);
  ASSERT_TRUE(state->calls.rewind());
  run();
  EXPECT_EQ(call("GET https://rates.test/other\n\n"), text_of(Errno::io));
  EXPECT_EQ(call(kGet), text_of(Errno::io));
  EXPECT_TRUE(state->calls.diverged());
  EXPECT_EQ(caller.requests.size(), 1u);
}

TEST_F(HttpCalls, AResponseThatWasNotReadToItsEndCannotBeGivenAgain) {
  caller.answers = {{.body = "one and more"}};
  const auto file = open();
  EXPECT_EQ(write(*file, kGet), Errno::success);
  EXPECT_TRUE(file->readable(io));
  EXPECT_FALSE(state->calls.rewind());
}

TEST_F(HttpCalls, AWaitThatIsGivenUpDoesNotCancelTheCall) {
  async::Event hold;
  caller.hold = &hold;
  caller.answers = {{.body = "late"}};
  const auto file = open();
  EXPECT_EQ(write(*file, kGet), Errno::success);
  EXPECT_EQ(file->readable(io).error(), Errno::again);
  io.waiting.start();
  io.waiting = {};
  EXPECT_EQ(file->readable(io).error(), Errno::again);
  hold.signal();
  EXPECT_EQ(read(*file), kHead + "late");
  EXPECT_EQ(caller.requests.size(), 1u);
}

TEST_F(HttpCalls, AllWhoWaitForACallAreWoken) {
  async::Event hold;
  caller.hold = &hold;
  caller.answers = {{.body = "late"}};
  const auto file = open();
  pour(*file, "POST https://rates.test/x\n\n");
  EXPECT_TRUE(file->sync(io));
  pour(*file, pattern(BodyPipe::kMost));
  std::vector<async::Task<void>> waits;
  const auto wait = [&](const auto& done) {
    EXPECT_EQ(done.error(), Errno::again);
    io.waiting.start();
    waits.push_back(std::move(io.waiting));
  };
  wait(file->writable(io));
  wait(file->writable(io));
  wait(file->readable(io));
  wait(file->readable(io));
  EXPECT_FALSE(std::ranges::any_of(waits, [](const auto& each) { return each.done(); }));
  hold.signal();
  EXPECT_TRUE(std::ranges::all_of(waits, [](const auto& each) { return each.done(); }));
  EXPECT_EQ(read(*file), kHead + "late");
}

TEST_F(HttpCalls, AFileThatIsClosedCancelsItsCall) {
  async::Event hold;
  caller.hold = &hold;
  auto file = open();
  EXPECT_EQ(write(*file, kGet), Errno::success);
  EXPECT_EQ(file->readable(io).error(), Errno::again);
  EXPECT_TRUE(hold.waiting());
  io.waiting = {};
  file.reset();
  EXPECT_FALSE(hold.waiting());
  EXPECT_FALSE(state->calls.rewind());
}

TEST_F(HttpCalls, HaveBounds) {
  const auto file = open();
  EXPECT_EQ(write(*file, std::string(kMostWhole, 'x')), Errno::success);
  EXPECT_EQ(write(*file, "x"), Errno::fbig) << "a head that does not end";
  EXPECT_EQ(file->sync(io).error(), Errno::inval);
  io.quota = io.charged + 3;
  EXPECT_EQ(write(*open(), "GET"), Errno::success);
  EXPECT_EQ(write(*open(), "G"), Errno::dquot);
  int opened = 3;
  while (open() != nullptr) ++opened;
  EXPECT_EQ(opened, 64);
  EXPECT_EQ(node->open(io, "new", {.read = true, .write = true}).error(), Errno::dquot);
}

const std::string kPost = "POST https://rates.test/x\nA: b\n\n";

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

const std::string kInChunks = "POST https://rates.test/x\nTransfer-Encoding: chunked\n\n";

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

TEST_F(HttpCalls, TheDeviceIsACharacterDeviceForReadingAndWriting) {
  EXPECT_EQ(node->stat(io, "new", true)->type, wasi::FileType::character);
  EXPECT_EQ(node->stat(io, "old", true).error(), Errno::noent);
  EXPECT_EQ(node->stat(io, "new/x", true).error(), Errno::notdir);
  EXPECT_EQ(node->open(io, "new", {.read = true}).error(), Errno::inval);
  EXPECT_EQ(node->open(io, "new", {.write = true}).error(), Errno::inval);
  const auto listing = node->open(io, "", {.folder = true, .read = true});
  ASSERT_TRUE(listing);
  EXPECT_EQ((*listing)->list(io, 0, 10)->front().name, "new");
  EXPECT_TRUE((*listing)->list(io, 1, 10)->empty());
}

TEST_F(HttpCalls, ARequestThatIsNeverReadIsNotSentAndTheLogSaysSo) {
  const auto file = open();
  EXPECT_EQ(write(*file, kGet), Errno::success);
  EXPECT_TRUE(file->close(io));
  EXPECT_THAT(caller.requests, IsEmpty());
  EXPECT_THAT(log.all, HasSubstr("not sent"));
}

Answer redirect_to(std::string location, int status = 302) {
  return {.head = {.status = status, .headers = {{"Location", std::move(location)}}}};
}

TEST_F(HttpCalls, RedirectsAreFollowedWithinTheGrants) {
  caller.answers = {redirect_to("/y"), redirect_to("//b.test/z", 307), {.body = "there"}};
  EXPECT_EQ(call("GET https://rates.test/x\nAuthorization: me\nAccept: text/plain\n\n"),
            kHead + "there");
  ASSERT_EQ(caller.requests.size(), 3u);
  EXPECT_EQ(caller.requests[1].url.text(), "https://rates.test/y");
  EXPECT_THAT(caller.requests[1].headers, Contains(Pair("Authorization", "me")));
  EXPECT_EQ(caller.requests[2].url.text(), "https://b.test/z");
  EXPECT_THAT(caller.requests[2].headers,
              ElementsAre(Pair("Accept", "text/plain"), Pair("Idempotency-Key", "turn-0")));
}

TEST_F(HttpCalls, TrailersAreNotToldToAnotherHost) {
  caller.answers = {redirect_to("/y", 307), redirect_to("//b.test/z", 307), {.body = "there"}};
  EXPECT_EQ(call(kInChunks + "1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n"), kHead + "there");
  EXPECT_EQ(caller.requests[1].trailers, (net::Fields{{"X-Sum", "1"}}));
  EXPECT_EQ(caller.requests[2].body, "a");
  EXPECT_THAT(caller.requests[2].trailers, IsEmpty());
}

TEST_F(HttpCalls, ARedirectOutOfTheGrantsIsRefused) {
  for (const auto* location : {"https://evil.test/", "http://rates.test/", "//evil.test",
                               "https://rates.test:8443/", "https://evil.test\\@rates.test/"}) {
    caller.answers = {redirect_to(location)};
    EXPECT_THAT(call(kGet), testing::AnyOf(text_of(Errno::acces), text_of(Errno::proto)))
        << location;
    EXPECT_TRUE(caller.answers.empty());
  }
  EXPECT_THAT(log.all, HasSubstr("it redirects to GET https://evil.test: no grant"));
  caller.answers = {redirect_to("https://b.test/", 308)};
  EXPECT_EQ(call("DELETE https://rates.test/\n\n"), text_of(Errno::acces));
  EXPECT_EQ(caller.requests.size(), 6u);
}

TEST_F(HttpCalls, RedirectsInARingEnd) {
  for (int i = 0; i < 10; ++i) caller.answers.push_back(redirect_to("?again"));
  EXPECT_EQ(call(kGet), text_of(Errno::loop));
  EXPECT_EQ(caller.requests.size(), 6u);
  EXPECT_EQ(caller.requests[1].url.text(), "https://rates.test/x?again");
}

TEST_F(HttpCalls, APostMayBecomeAGet) {
  const std::string post = "POST https://rates.test/a/b\nContent-Type: x\n\nbody";
  caller.answers = {redirect_to("c", 303), {}, redirect_to("c", 307), {}};
  call(post);
  EXPECT_EQ(caller.requests[1].method, "GET");
  EXPECT_EQ(caller.requests[1].url.text(), "https://rates.test/a/c");
  EXPECT_EQ(caller.requests[1].body, "");
  EXPECT_THAT(caller.requests[1].headers, ElementsAre(Pair("Idempotency-Key", "turn-0")));
  call(post);
  EXPECT_EQ(caller.requests[3].method, "POST");
  EXPECT_EQ(caller.requests[3].body, "body");
}

TEST_F(HttpCalls, AStreamedBodyIsNotThereForARedirect) {
  const auto stream = [&] {
    const auto file = open();
    pour(*file, kPost);
    EXPECT_TRUE(file->sync(io));
    return read(*file);
  };
  caller.answers = {redirect_to("c", 303), {.body = "there"}, redirect_to("c", 307)};
  EXPECT_EQ(stream(), kHead + "there");
  EXPECT_EQ(stream(), text_of(Errno::proto));
  EXPECT_EQ(caller.requests.size(), 3u);
}

}  // namespace
}  // namespace carrel::capability::http
