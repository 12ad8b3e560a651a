#include "api/api.h"

#include <gtest/gtest.h>

#include "api/backup.h"
#include "api/openapi.h"

namespace carrel::api {
namespace {

constexpr std::string_view kToken = "a-token-of-at-least-thirty-two-characters";

class FakeNode final : public Node {
 public:
  std::shared_ptr<const NodeInfo> info() const override {
    return std::make_shared<NodeInfo>(info_);
  }
  Readiness readiness() const override { return readiness_; }
  NodeInfo info_{.version = "1.2.3", .shards = 2, .apps = {{.name = "shop", .tenant = "shop"}}};
  Readiness readiness_ = Readiness::ready;
};

class ApiTest : public ::testing::Test {
 protected:
  ApiTest() : api_(node_, Guard(LocalToken(kToken), {"carrel.example"}), system_clock()) {
    request_.method = "GET";
    request_.path = "/v1/status";
    request_.host = "127.0.0.1:3001";
    request_.scheme = "http";
    with("authorization", "Bearer a-token-of-at-least-thirty-two-characters");
  }

  void with(std::string_view name, std::string_view value) {
    request_.headers.push_back({name, value});
  }
  int status() { return api_.answer(request_, 7).head.status; }
  std::string header(std::string_view name) {
    for (const auto& [key, value] : api_.answer(request_, 7).head.headers) {
      if (key == name) return value;
    }
    return "";
  }

  FakeNode node_;
  Api api_;
  net::Request request_;
};

TEST_F(ApiTest, RefusesARequestWithoutItsTokenAndSaysHowToAuthenticate) {
  request_.headers.clear();
  EXPECT_EQ(status(), 401);
  EXPECT_TRUE(header("www-authenticate").starts_with("Bearer"));
}

TEST_F(ApiTest, RefusesAWrongTokenAnotherSchemeAndTwoTokens) {
  request_.headers[0].value = "Bearer a-token-of-at-least-thirty-two-characterz";
  EXPECT_EQ(status(), 401);
  request_.headers[0].value = "Basic a-token-of-at-least-thirty-two-characters";
  EXPECT_EQ(status(), 401);
  request_.headers[0].value = "Bearer ";
  EXPECT_EQ(status(), 401);
  request_.headers[0].value = "Bearer a-token-of-at-least-thirty-two-characters";
  with("Authorization", "Bearer a-token-of-at-least-thirty-two-characters");
  EXPECT_EQ(status(), 401);
}

TEST_F(ApiTest, RefusesAHostThatIsNotThisNode) {
  for (std::string_view host :
       {"evil.example", "evil.example:3001", "", "127.0.0.1.evil.example", "[::2]:3001"}) {
    request_.host = host;
    EXPECT_EQ(status(), 403) << host;
  }
  for (std::string_view host : {"localhost", "LOCALHOST:3001", "[::1]:3001", "carrel.example:80"}) {
    request_.host = host;
    EXPECT_EQ(status(), 200) << host;
  }
}

TEST_F(ApiTest, RefusesAPageOfAnotherOrigin) {
  with("Origin", "http://127.0.0.1:8080");
  EXPECT_EQ(status(), 403);
  request_.headers.back().value = "null";
  EXPECT_EQ(status(), 403);
  request_.headers.back().value = "http://127.0.0.1:3001";
  EXPECT_EQ(status(), 200);
}

TEST_F(ApiTest, HidesWhichPathsExistFromWhoHasNoToken) {
  request_.path = "/v1/nothing";
  EXPECT_EQ(status(), 404);
  request_.headers.clear();
  EXPECT_EQ(status(), 401);
}

TEST_F(ApiTest, NamesTheMethodsOfAPath) {
  request_.method = "POST";
  EXPECT_EQ(status(), 405);
  EXPECT_EQ(header("allow"), "GET, HEAD");
}

TEST_F(ApiTest, AnswersProbesWithoutToken) {
  request_.headers.clear();
  request_.host = "10.0.0.7:3001";
  request_.path = "/healthz";
  EXPECT_EQ(status(), 200);
  request_.path = "/readyz";
  EXPECT_EQ(status(), 200);
  node_.readiness_ = Readiness::draining;
  EXPECT_EQ(status(), 503);
  EXPECT_EQ(header("content-type"), "application/problem+json");
}

TEST_F(ApiTest, ShowsNamesThatAreNotUtf8AsValidJson) {
  request_.path = "/v1/apps";
  node_.info_.apps[0].routes = {"GET /\xFF"};
  const Answer answer = api_.answer(request_, 7);
  EXPECT_EQ(answer.head.status, 200);
  EXPECT_TRUE(answer.body.contains("GET /\xEF\xBF\xBD"));
}

TEST_F(ApiTest, ServesItsOwnDescription) {
  request_.path = "/v1/openapi.yaml";
  EXPECT_EQ(api_.answer(request_, 7).body, openapi_yaml());
  EXPECT_TRUE(openapi_yaml().starts_with("openapi: 3.1"));
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
