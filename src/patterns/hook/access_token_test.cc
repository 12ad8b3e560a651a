#include "patterns/hook/access_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carrel::hook {
namespace {

using testing::HasSubstr;

std::string token_in(std::string_view body) {
  auto answer = parse_token_answer(body);
  return answer ? std::string(answer->token.view()) : answer.error().message();
}

Nanos time_in(std::string_view expires) {
  const auto answer = parse_token_answer(R"({"access_token":"t","token_type":"Bearer")" +
                                         std::string(expires) + "}");
  return answer ? answer->good_for : Nanos(-1);
}

TEST(AccessToken, IsReadFromAnAnswer) {
  EXPECT_EQ(token_in(R"({"access_token":"a.b-c_d~e+f/1==","token_type":"bearer","x":1})"),
            "a.b-c_d~e+f/1==");
  EXPECT_EQ(time_in(R"(,"expires_in":60)"), std::chrono::seconds(60));
  EXPECT_EQ(time_in(""), std::chrono::minutes(5));
  EXPECT_EQ(time_in(R"(,"expires_in":null)"), std::chrono::minutes(5));
  EXPECT_EQ(time_in(R"(,"expires_in":0)"), Nanos());
  EXPECT_EQ(time_in(R"(,"expires_in":18446744073709551615)"), std::chrono::hours(24));
}

TEST(AccessToken, IsNoneOfAnAnswerThatIsNone) {
  for (const auto* body : {"", "null", "[]", "<html>", "{", R"({"access_token":1})"})
    EXPECT_THAT(token_in(body), HasSubstr("the token server's answer")) << body;
  for (const auto* token : {"", "a b", R"(a\r\nx-admin: 1)", R"(a\u0000)", R"(\u00e9)", "a,b"}) {
    const std::string body =
        R"({"access_token":")" + std::string(token) + R"(","token_type":"Bearer"})";
    EXPECT_THAT(token_in(body), HasSubstr("that is none")) << body;
  }
  const std::string longest(kMostToken + 1, 'x');
  EXPECT_THAT(token_in(R"({"access_token":")" + longest + R"(","token_type":"Bearer"})"),
              HasSubstr("that is none"));
  EXPECT_THAT(token_in(R"({"access_token":"t"})"), HasSubstr("Bearer"));
  EXPECT_THAT(token_in(R"({"access_token":"t","token_type":"mac"})"), HasSubstr("Bearer"));
  EXPECT_THAT(token_in(R"({"access_token":"t","access_token":"u","token_type":"Bearer"})"),
              HasSubstr("no JSON"));
  for (const auto* time : {R"("60")", "-1", "1.5", "1e3", "[]", "true"})
    EXPECT_EQ(time_in(R"(,"expires_in":)" + std::string(time)), Nanos(-1)) << time;
}

TEST(AccessToken, OnlyTheCodeOfAnErrorIsRepeated) {
  EXPECT_EQ(token_error(R"({"error":"invalid_client","error_description":"s3cret"})"),
            "invalid_client");
  EXPECT_EQ(token_error(R"({"error":"Basic czNjcmV0"})"), "");
  EXPECT_EQ(token_error(R"({"error":7})"), "");
  EXPECT_EQ(token_error("<html>"), "");
}

TEST(AccessToken, IsAskedForAsTheStandardHasIt) {
  app::OAuthClient client{.id = "carrel:1", .secret = "NAME", .scope = "a b"};
  const auto request = token_request(client, "s&t");
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.body, "grant_type=client_credentials&scope=a%20b");
  EXPECT_EQ(request.headers[0].first, "authorization");
  EXPECT_EQ(request.headers[0].second, "Basic Y2FycmVsJTNBMTpzJTI2dA==");  // carrel%3A1:s%26t
  client.scope.clear();
  EXPECT_EQ(token_request(client, "s").body, "grant_type=client_credentials");
}

}  // namespace
}  // namespace carrel::hook
