#include "capability/http/test_calls.h"

namespace carrel::capability::http {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

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

CannedAnswer redirect_to(std::string location, int status = 302) {
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
