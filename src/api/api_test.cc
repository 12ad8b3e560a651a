#include "api/api.h"

#include <gtest/gtest.h>

#include "api/backup.h"
#include "api/openapi.h"
#include "api/test_api.h"

namespace carrel::api {
namespace {

class ApiTest : public ApiFixture {};

TEST_F(ApiTest, RefusesARequestWithoutItsTokenAndSaysHowToAuthenticate) {
  request.headers.clear();
  EXPECT_EQ(status(), 401);
  EXPECT_TRUE(header("www-authenticate").starts_with("Bearer"));
}

TEST_F(ApiTest, RefusesAWrongTokenAnotherSchemeAndTwoTokens) {
  request.headers[0].value = "Bearer a-token-of-at-least-thirty-two-characterz";
  EXPECT_EQ(status(), 401);
  request.headers[0].value = "Basic a-token-of-at-least-thirty-two-characters";
  EXPECT_EQ(status(), 401);
  request.headers[0].value = "Bearer ";
  EXPECT_EQ(status(), 401);
  request.headers[0].value = "Bearer a-token-of-at-least-thirty-two-characters";
  with("Authorization", "Bearer a-token-of-at-least-thirty-two-characters");
  EXPECT_EQ(status(), 401);
}

TEST_F(ApiTest, RefusesAHostThatIsNotThisNode) {
  for (std::string_view host :
       {"evil.example", "evil.example:3001", "", "127.0.0.1.evil.example", "[::2]:3001"}) {
    request.host = host;
    EXPECT_EQ(status(), 403) << host;
  }
  for (std::string_view host : {"localhost", "LOCALHOST:3001", "[::1]:3001", "carrel.example:80"}) {
    request.host = host;
    EXPECT_EQ(status(), 200) << host;
  }
}

TEST_F(ApiTest, RefusesAPageOfAnotherOrigin) {
  with("Origin", "http://127.0.0.1:8080");
  EXPECT_EQ(status(), 403);
  request.headers.back().value = "null";
  EXPECT_EQ(status(), 403);
  request.headers.back().value = "http://127.0.0.1:3001";
  EXPECT_EQ(status(), 200);
}

TEST_F(ApiTest, HidesWhichPathsExistFromWhoHasNoToken) {
  request.path = "/v1/nothing";
  EXPECT_EQ(status(), 404);
  request.headers.clear();
  EXPECT_EQ(status(), 401);
}

TEST_F(ApiTest, NamesTheMethodsOfAPath) {
  request.method = "POST";
  EXPECT_EQ(status(), 405);
  EXPECT_EQ(header("allow"), "GET, HEAD");
}

TEST_F(ApiTest, AnswersProbesWithoutToken) {
  request.headers.clear();
  request.host = "10.0.0.7:3001";
  request.path = "/healthz";
  EXPECT_EQ(status(), 200);
  request.path = "/readyz";
  EXPECT_EQ(status(), 200);
  node.readiness_ = Readiness::draining;
  EXPECT_EQ(status(), 503);
  EXPECT_EQ(header("content-type"), "application/problem+json");
}

TEST_F(ApiTest, ShowsNamesThatAreNotUtf8AsValidJson) {
  request.path = "/v1/apps";
  node.info_.apps[0].routes = {"GET /\xFF"};
  EXPECT_EQ(status(), 200);
  EXPECT_TRUE(reply->body().contains("GET /\xEF\xBF\xBD"));
}

TEST_F(ApiTest, ServesItsOwnDescription) {
  request.path = "/v1/openapi.yaml";
  EXPECT_EQ(status(), 200);
  EXPECT_EQ(reply->body(), openapi_yaml());
  EXPECT_TRUE(openapi_yaml().starts_with("openapi: 3.1"));
}

TEST_F(ApiTest, AnOperationThatTheAccessTableDoesNotKnowIsRefusedToTheOperatorToo) {
  static constexpr Operation kUnknown{
      "unknown", "GET", "/v1/unknown",
      [](Call*) -> async::Task<Result<Answer>> { co_return Answer(); }};
  Api with_more(node, Guard({}), Authenticator(LocalToken(kTestToken)), system_clock(),
                {&kUnknown, 1});
  with_more.serve_state(services);
  async::MemorySource body;
  net::MemoryReply answer;
  request.path = "/v1/unknown";
  net::Exchange exchange{.request = request, .body = body, .reply = answer, .id = 7};
  shard.run_until_done(with_more.handle(exchange));
  EXPECT_EQ(answer.head().status, 403);
}

TEST(ABackupRequest, NamesOneAbsoluteFolder) {
  EXPECT_EQ(*read_backup_folder(R"({"folder": "/b/monday"})"), "/b/monday");
  for (std::string_view body : {"", "{}", "[]", R"({"folder": 1})", R"({"folder": "b"})",
                                R"({"folder": ""})", R"({"folder": "/b\u0000c"})",
                                R"({"folder": "/b", "more": 1})", "{\"folder\": \"/\xff\"}"}) {
    EXPECT_EQ(read_backup_folder(body).error().code(), Code::invalid_argument) << body;
  }
}

}  // namespace
}  // namespace carrel::api
