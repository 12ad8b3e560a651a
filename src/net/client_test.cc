#include "net/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/first_of.h"
#include "net/test_client.h"

namespace carrel::net {
namespace {

using testing::HasSubstr;
using namespace testing_client;

TEST(Client, SendsARequestAndReadsTheResponse) {
  Fixture f;
  const Outcome outcome = f.get("/a?b");
  ASSERT_TRUE(outcome.ok) << outcome.error.message();
  EXPECT_EQ(outcome.status, 201);
  EXPECT_EQ(outcome.body, "hello /a?b");
  EXPECT_EQ(outcome.host, "site.test:" + std::to_string(f.server->port()));
}

TEST(Client, SendsALargeBody) {
  Fixture f;
  const std::string body(3 << 20, 'b');
  const Outcome outcome = f.call({.method = "POST", .url = f.url("/"), .body = body});
  ASSERT_TRUE(outcome.ok) << outcome.error.message();
  EXPECT_EQ(f.site.last_body, body);
}

// Comes in pieces, each when it is asked for; perhaps it never ends, or breaks off.
class Pieces final : public async::ByteSource {
 public:
  enum class End : unsigned char { ends, fails, never };
  Pieces(async::Shard& shard, int count, End end) : shard_(shard), left_(count), end_(end) {}
  std::size_t read(std::span<std::byte> into) override {
    if (!ready()) return 0;
    const std::size_t n = std::min(into.size(), kPiece - at_);
    std::memset(into.data(), 'p', n);
    at_ = (at_ + n) % kPiece;
    if (at_ == 0) {
      --left_;
      there_ = false;
    }
    return n;
  }
  bool ready() const override { return there_ && left_ > 0; }
  bool finished() const override { return left_ == 0 && end_ == End::ends; }
  async::Task<Result<void>> wait() override {
    co_await shard_.sleep_for(1ms);
    there_ = true;
    if (left_ > 0) co_return Result<void>();
    if (end_ == End::fails) co_return fail(Code::store_failed, "no more of it");
    co_await shard_.sleep_for(1h);
    co_return Result<void>();
  }
  static constexpr std::size_t kPiece = 20'000;

 private:
  async::Shard& shard_;
  int left_;
  End end_;
  std::size_t at_ = 0;
  bool there_ = false;
};

Outcome upload(Fixture& f, Pieces& pieces, std::string_view path,
               std::optional<std::uint64_t> length = {}) {
  return f.call({.method = "PUT",
                 .url = f.url(path),
                 .stream = StreamedBody{.source = &pieces, .length = length}});
}

TEST(Client, SendsABodyAsItComes) {
  Fixture f;
  for (const auto length :
       {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(200'000)}) {
    Pieces pieces(f.shard, 10, Pieces::End::ends);
    const Outcome outcome = upload(f, pieces, "/", length);
    ASSERT_TRUE(outcome.ok) << outcome.error.message();
    EXPECT_EQ(f.site.last_body, std::string(200'000, 'p'));
    EXPECT_EQ(f.site.last_length, length);
  }
  Pieces none(f.shard, 0, Pieces::End::ends);
  EXPECT_TRUE(upload(f, none, "/").ok);
  EXPECT_EQ(f.site.last_body, "");
}

TEST(Client, SendsTrailersBehindABodyInChunks) {
  Fixture f;
  const Fields sums = {{"x-sum", "1"}, {"x-two", "2"}};
  const auto send = [&](std::string body) {
    return f.call({.method = "POST",
                   .url = f.url("/"),
                   .headers = {{"Trailer", "x-sum, x-two"}},
                   .body = std::move(body),
                   .trailers = sums});
  };
  for (const std::string body : {"body", ""}) {
    ASSERT_TRUE(send(body).ok);
    EXPECT_EQ(f.site.last_body, body);
    EXPECT_EQ(f.site.last_trailers, sums);
    EXPECT_EQ(f.site.last_announced, "x-sum, x-two");
  }
  Pieces pieces(f.shard, 3, Pieces::End::ends);
  ASSERT_TRUE(f.call({.method = "PUT",
                      .url = f.url("/"),
                      .stream = StreamedBody{.source = &pieces, .trailers = &sums}})
                  .ok);
  EXPECT_EQ(f.site.last_body, std::string(60'000, 'p'));
  EXPECT_EQ(f.site.last_trailers, sums);
  ASSERT_TRUE(
      f.call(
           {.method = "POST", .url = f.url("/"), .headers = {{"Trailer", "x-sum"}}, .body = "body"})
          .ok);
  EXPECT_EQ(f.site.last_announced, "") << "there are none";
}

TEST(Client, SendsNoTrailersThatMayNotBeOne) {
  Fixture f;
  for (const Fields& trailers :
       {Fields{{"Content-Length", "1"}}, Fields{{"Host", "x"}}, Fields{{"x", "a\r\nb: c"}},
        Fields{{"x y", "1"}}, Fields{{"Authorization", "x"}}}) {
    EXPECT_EQ(f.call({.method = "POST", .url = f.url("/"), .body = "b", .trailers = trailers})
                  .error.code(),
              Code::invalid_argument);
    Pieces pieces(f.shard, 1, Pieces::End::ends);
    EXPECT_EQ(f.call({.method = "PUT",
                      .url = f.url("/"),
                      .stream = StreamedBody{.source = &pieces, .trailers = &trailers}})
                  .error.code(),
              Code::invalid_argument);
  }
}

TEST(Client, ABodyOfAnotherLengthIsNotSentWhole) {
  Fixture f;
  for (const std::uint64_t length : {190'000, 210'000}) {
    Pieces pieces(f.shard, 10, Pieces::End::ends);
    EXPECT_EQ(upload(f, pieces, "/", length).error.code(), Code::invalid_argument) << length;
  }
}

TEST(Client, ABodyThatFailsFailsTheCall) {
  Fixture f;
  Pieces pieces(f.shard, 2, Pieces::End::fails);
  EXPECT_EQ(upload(f, pieces, "/").error.code(), Code::store_failed);
  f.limits.total = 100ms;
  Pieces endless(f.shard, 2, Pieces::End::never);
  EXPECT_EQ(upload(f, endless, "/").error.code(), Code::egress_timeout);
}

TEST(Client, APeerThatAnswersEarlyIsHeardWhileTheBodyWaits) {
  Fixture f;
  Pieces pieces(f.shard, 2, Pieces::End::never);
  const Outcome outcome = upload(f, pieces, "/refuses");
  EXPECT_EQ(outcome.status, 413);
  EXPECT_EQ(outcome.body, "no");
  EXPECT_TRUE(f.get("/").ok);
}

TEST(Client, ReadsBodiesOfEveryFraming) {
  Fixture f;
  EXPECT_EQ(f.get("/stream").body, "one two");
  EXPECT_EQ(f.get("/big").body.size(), 5'000'000U);
  const Outcome head = f.call({.method = "HEAD", .url = f.url("/")});
  EXPECT_TRUE(head.ok);
  EXPECT_EQ(head.body, "");
}

TEST(Client, TrailersComeToWhoTakesThem) {
  Fixture f;
  const Outcome taken = f.call({.url = f.url("/trailers"), .takes_trailers = true});
  EXPECT_EQ(taken.body, "body");
  EXPECT_EQ(taken.trailers, (Fields{{"X-Sum", "1"}}));
  EXPECT_EQ(f.get("/trailers").trailers, Fields());
}

TEST(Client, ABodyThatBreaksOffIsAnErrorAndNoEnd) {
  Fixture f;
  const Outcome outcome = f.get("/broken");
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.error.code(), Code::egress_closed);
}

TEST(Client, KeepsAConnectionForTheSameTenantAndOrigin) {
  Fixture f;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(f.get("/").ok);
  EXPECT_EQ(f.site.ports[0], f.site.ports[1]);
  EXPECT_EQ(f.site.ports[1], f.site.ports[2]);
  EXPECT_EQ(f.hosts.asked, 1);
}

TEST(Client, AKeptConnectionThatWasClosedIsReplaced) {
  Fixture f;
  EXPECT_TRUE(f.get("/").ok);
  const std::uint16_t port = f.server->port();
  f.shard.run_until_done(f.server->drain(0ms));
  f.server = Server::listen(f.shard, f.site, {.port = port}).value();
  f.server->start();
  EXPECT_TRUE(f.get("/").ok);
}

TEST(Client, WithoutLeaveLoopbackIsNotCalled) {
  Fixture f({});
  for (const auto* host : {"site.test", "127.0.0.1"}) {
    const Outcome outcome = f.call({.url = f.url("/", host)});
    EXPECT_EQ(outcome.error.code(), Code::egress_address);
    EXPECT_THAT(outcome.error.message(), HasSubstr("127.0.0.1 is loopback"));
  }
  EXPECT_TRUE(f.site.ports.empty());
}

TEST(Client, OneRefusedAnswerAmongOthersFailsTheCall) {
  Fixture f;
  f.hosts.hosts["mixed.test"] = {"127.0.0.1", "10.0.0.1"};
  const Outcome outcome = f.call({.url = f.url("/", "mixed.test")});
  EXPECT_EQ(outcome.error.code(), Code::egress_address);
  EXPECT_THAT(outcome.error.message(), HasSubstr("10.0.0.1"));
  EXPECT_TRUE(f.site.ports.empty());
}

TEST(Client, OwnListenersAreNotCalledEvenWithLeave) {
  EgressPolicy policy = loopback();
  Fixture f;
  policy.own_listeners = {{parse_ip("0.0.0.0").value(), f.server->port()}};
  f.client =
      std::make_unique<Client>(f.shard, ClientOptions{.policy = policy, .resolver = &f.hosts});
  EXPECT_EQ(f.get("/").error.code(), Code::egress_address);
}

TEST(Client, AnAddressThatDoesNotAnswerIsPassedOver) {
  Fixture f;
  f.hosts.hosts["two.test"] = {"127.0.0.2", "127.0.0.1"};  // nobody listens at the first
  EXPECT_TRUE(f.call({.url = f.url("/", "two.test")}).ok);
}

TEST(Client, ANameThatIsNotFoundFailsTheCall) {
  Fixture f;
  EXPECT_EQ(f.call({.url = f.url("/", "nowhere.test")}).error.code(), Code::egress_name);
}

TEST(Client, APortWhereNobodyListensRefuses) {
  Fixture f;
  Outcome outcome = f.call({.url = f.url("/", "127.0.0.2")});
  EXPECT_EQ(outcome.error.code(), Code::egress_refused);
  EXPECT_THAT(outcome.error.message(), HasSubstr("127.0.0.2"));
}

TEST(Client, ABodyThatIsNotAllThereInTimeIsTooLate) {
  Fixture f;
  f.limits.total = 50ms;
  const Outcome outcome = f.get("/begun");
  EXPECT_EQ(outcome.error.code(), Code::egress_timeout);
  EXPECT_EQ(outcome.body, "begun");
}

TEST(Client, RefusesARequestThatCouldBecomeTwo) {
  Fixture f;
  const Outcome outcome =
      f.call({.url = f.url("/"), .headers = {{"A", "b\r\n\r\nGET /evil HTTP/1.1"}}});
  EXPECT_EQ(outcome.error.code(), Code::invalid_argument);
  EXPECT_EQ(f.call({.method = "CONNECT", .url = f.url("/")}).error.code(), Code::invalid_argument);
  EXPECT_TRUE(f.site.ports.empty());
}

TEST(Client, GivesUpWhenTheTimeIsOver) {
  Fixture f;
  f.limits.total = 50ms;
  const Outcome outcome = f.get("/never");
  EXPECT_EQ(outcome.error.code(), Code::egress_timeout);
  EXPECT_THAT(outcome.error.message(), HasSubstr("too long"));
}

TEST(Client, GivesUpAResponseThatIsTooLarge) {
  Fixture f;
  f.limits.response_bytes = 100'000;
  const Outcome outcome = f.get("/big");
  EXPECT_EQ(outcome.error.code(), Code::egress_too_large);
  EXPECT_EQ(outcome.body.size(), 100'000U);
}

async::Task<void> wait_for(async::Event* event) { co_await *event; }

TEST(Client, ADestroyedCallIsCancelledAndItsPlaceIsFree) {
  Fixture f({.policy = loopback(), .connections_a_tenant = 1});
  Outcome outcome;
  f.shard.run_until_done([](Fixture* f, Outcome* outcome) -> async::Task<void> {
    (void)co_await async::first_of(
        run_call(f->client.get(), {.url = f->url("/never")}, f->limits, outcome),
        wait_for(&f->site.arrived));
  }(&f, &outcome));
  EXPECT_FALSE(outcome.ok);
  EXPECT_TRUE(f.get("/").ok);
}

TEST(Client, CallsBeyondATenantsShareWaitInLine) {
  Fixture f({.policy = loopback(), .connections_a_tenant = 1});
  Outcome first, second;
  f.shard.run_until_done([](Fixture* f, Outcome* first, Outcome* second) -> async::Task<void> {
    auto a = run_call(f->client.get(), {.url = f->url("/stream")}, f->limits, first);
    auto b = run_call(f->client.get(), {.url = f->url("/stream")}, f->limits, second);
    a.start();
    b.start();
    while (!a.done() || !b.done()) co_await f->shard.sleep_for(1ms);
  }(&f, &first, &second));
  EXPECT_TRUE(first.ok);
  EXPECT_TRUE(second.ok);
  EXPECT_EQ(f.site.ports[0], f.site.ports[1]);
}

TEST(Client, WhoWaitsInLineTooLongGivesUp) {
  Fixture f({.policy = loopback(), .connections_a_tenant = 1});
  Outcome first, second;
  f.shard.run_until_done([](Fixture* f, Outcome* first, Outcome* second) -> async::Task<void> {
    auto a = run_call(f->client.get(), {.url = f->url("/never")}, f->limits, first);
    a.start();
    co_await f->site.arrived;
    co_await run_call(f->client.get(), {.url = f->url("/")}, {.total = 20ms}, second);
  }(&f, &first, &second));
  EXPECT_THAT(second.error.message(), HasSubstr("too many calls"));
}

TEST(Client, AResponseMayOutliveItsClient) {
  Fixture f;
  std::unique_ptr<IncomingResponse> response;
  f.shard.run_until_done(
      [](Fixture* f, std::unique_ptr<IncomingResponse>* into) -> async::Task<void> {
        auto sent = co_await f->client->send(kTenant, {.url = f->url("/big")}, f->limits);
        if (sent) *into = std::move(*sent);
      }(&f, &response));
  ASSERT_TRUE(response);
  f.client.reset();
  response.reset();
}

}  // namespace
}  // namespace carrel::net
