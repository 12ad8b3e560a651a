#include "cli/canned_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/shard.h"

namespace carrel::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

net::Url url(std::string_view text) { return net::parse_url(text).value(); }

async::Task<void> send_into(net::Caller* caller, net::OutgoingRequest request,
                            Result<std::unique_ptr<net::IncomingResponse>>* into) {
  *into = co_await caller->send(TenantName("shop"), std::move(request), {});
}

Result<std::unique_ptr<net::IncomingResponse>> send(net::Caller& caller,
                                                    net::OutgoingRequest request) {
  async::Shard shard;
  Result<std::unique_ptr<net::IncomingResponse>> response;
  shard.run_until_done(send_into(&caller, std::move(request), &response));
  return response;
}

TEST(CannedCalls, AnswerWhatIsExpected) {
  const std::vector<app::CaseCall> expected = {{.url = url("http://a.test/x"),
                                                .headers = {{"accept", "text/plain"}},
                                                .reply = {.status = 201, .headers = {}},
                                                .reply_body = "hi"},
                                               {.method = "POST",
                                                .url = url("http://a.test/x"),
                                                .body = "b",
                                                .error = Code::egress_refused}};
  CannedCalls calls(expected);
  EXPECT_EQ(calls.missing().size(), 2u);
  const auto first =
      send(calls, {.url = url("http://a.test/x"), .headers = {{"Accept", "text/plain"}}});
  ASSERT_TRUE(first);
  EXPECT_EQ((*first)->head().status, 201);
  std::array<std::byte, 10> body;
  EXPECT_EQ((*first)->body().read(body), 2u);
  EXPECT_TRUE((*first)->body().finished());
  const auto second = send(calls, {.method = "POST", .url = url("http://a.test/x"), .body = "b"});
  EXPECT_EQ(second.error().code(), Code::egress_refused);
  EXPECT_THAT(calls.unexpected(), IsEmpty());
  EXPECT_THAT(calls.missing(), IsEmpty());
}

TEST(CannedCalls, SayWhatIsNotExpected) {
  const std::vector<app::CaseCall> expected = {
      {.url = url("http://a.test/x")},
      {.url = url("http://a.test/x"), .headers = {{"accept", "text/plain"}}},
      {.url = url("http://a.test/x"), .body = "one"}};
  CannedCalls calls(expected);
  EXPECT_FALSE(send(calls, {.url = url("http://a.test/y")}));
  EXPECT_FALSE(send(calls, {.url = url("http://a.test/x")}));
  EXPECT_FALSE(send(calls, {.url = url("http://a.test/x"), .body = "two"}));
  EXPECT_FALSE(send(calls, {.url = url("http://a.test/x")}));
  EXPECT_THAT(calls.unexpected(),
              ElementsAre(HasSubstr("- GET http://a.test/x\n+ GET http://a.test/y"),
                          HasSubstr("- text/plain\n+ (none)"), HasSubstr("- one"),
                          HasSubstr("no [[http]] for a call to the outside:\n+ GET http")));
}

TEST(CannedCalls, SayWhatNeverCame) {
  const std::vector<app::CaseCall> expected = {{.url = url("http://a.test/x")}};
  EXPECT_THAT(CannedCalls(expected).missing(), ElementsAre(HasSubstr("- GET http://a.test/x")));
}

}  // namespace
}  // namespace carrel::cli
