#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/test_api.h"

namespace carrel::api {
namespace {

using Json = nlohmann::json;

class Tenants : public ApiFixture {
 protected:
  int create(const std::string& name) {
    return ask("POST", "/v1/tenants", Json{{"name", name}}.dump());
  }
  Json json() const { return Json::parse(reply->body()); }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const Json& each : json()["tenants"]) all.push_back(each["name"]);
    return all;
  }
};

TEST_F(Tenants, ThatCannotBeCreatedAreRefusedWithTheReason) {
  for (const char* body : {"", "[]", "{}", R"({"name": 1})", R"({"name": ""})", R"({"name": "A"})",
                           R"({"name": "a", "more": 1})", R"({"name": "a", "quotas": {"x": 1}})",
                           "{\"name\": \"\xff\"}"}) {
    EXPECT_EQ(ask("POST", "/v1/tenants", body), 400) << body;
    EXPECT_TRUE(json().contains("detail")) << body;
  }
  EXPECT_EQ(ask("POST", "/v1/tenants", std::string(100'000, ' ')), 413);
  EXPECT_EQ(create("none/child"), 404);
  EXPECT_EQ(create("acme"), 201);
  EXPECT_EQ(create("acme"), 409);
  EXPECT_EQ(ask("GET", "/v1/tenants/none"), 404);
  EXPECT_EQ(ask("GET", "/v1/tenants/a%2F%2Fb"), 400);
  EXPECT_EQ(ask("GET", "/v1/tenants/.."), 400);
}

TEST_F(Tenants, AreCreatedBelowOneAnotherAndListedInOrderPageByPage) {
  for (const char* name : {"acme", "acme/b", "acme/a", "zoo", "acme/a/x", "acme-2"})
    ASSERT_EQ(create(name), 201) << name;
  EXPECT_EQ(ask("GET", "/v1/tenants"), 200);
  EXPECT_EQ(names(),
            (std::vector<std::string>{"acme", "acme-2", "acme/a", "acme/a/x", "acme/b", "zoo"}));
  EXPECT_FALSE(json().contains("next"));
  ask("GET", "/v1/tenants?prefix=acme%2F&limit=2");
  EXPECT_EQ(names(), (std::vector<std::string>{"acme/a", "acme/a/x"}));
  ask("GET", "/v1/tenants?prefix=acme%2F&limit=2&after=" + json()["next"].get<std::string>());
  EXPECT_EQ(names(), (std::vector<std::string>{"acme/b"}));
  EXPECT_FALSE(json().contains("next"));
}

TEST_F(Tenants, SayWhereTheyAreAndWhatTheyAre) {
  ASSERT_EQ(ask("POST", "/v1/tenants", R"({"name": "a", "quotas": {"storage_bytes": 7}})"), 201);
  EXPECT_EQ(header("location"), "/v1/tenants/a");
  const std::string etag = header("etag");
  ASSERT_EQ(ask("GET", "/v1/tenants/a"), 200);
  EXPECT_EQ(header("etag"), etag);
  EXPECT_EQ(json()["quotas"], (Json{{"storage_bytes", 7}}));
}

TEST_F(Tenants, AreNotUpdatedByWhoHasSeenAnotherState) {
  create("a");
  const std::string old = header("etag");
  ASSERT_EQ(ask("PATCH", "/v1/tenants/a", R"({"quotas": {"storage_bytes": 7}})"), 200);
  with("If-Match", old);
  EXPECT_EQ(ask("PATCH", "/v1/tenants/a", R"({"quotas": {"storage_bytes": 8}})"), 412);
  EXPECT_EQ(ask("DELETE", "/v1/tenants/a"), 412);
  ask("GET", "/v1/tenants/a");
  const std::string now = "\"x\", " + header("etag");
  EXPECT_EQ(json()["quotas"]["storage_bytes"], 7);
  request.headers.back().value = now;
  EXPECT_EQ(ask("PATCH", "/v1/tenants/a", R"({"quotas": {"storage_bytes": 8}})"), 200);
}

TEST_F(Tenants, AreNotRemovedWhileAnythingIsInThem) {
  create("shop");  // the node serves an app in it
  EXPECT_EQ(ask("DELETE", "/v1/tenants/shop"), 409);
  EXPECT_TRUE(json()["detail"].get<std::string>().contains("shop"));
  create("a");
  create("a/b");
  EXPECT_EQ(ask("DELETE", "/v1/tenants/a"), 409);
  EXPECT_EQ(ask("DELETE", "/v1/tenants/none"), 404);
}

TEST_F(Tenants, ThatAreRemovedKeepTheirDataForAWhileAndCanBeRestored) {
  create("a");
  ASSERT_EQ(ask("PUT", "/v1/tenants/a/kv/s/k", "v"), 204);
  ASSERT_EQ(ask("DELETE", "/v1/tenants/a"), 200);
  EXPECT_TRUE(json().contains("removed"));
  EXPECT_EQ(ask("GET", "/v1/tenants/a/kv/s/k"), 404);
  EXPECT_EQ(ask("PUT", "/v1/tenants/a/kv/s/k", "w"), 404);
  EXPECT_EQ(ask("PATCH", "/v1/tenants/a", R"({"quotas": {}})"), 404);
  EXPECT_EQ(create("a"), 409);
  EXPECT_EQ(create("a/b"), 404);
  EXPECT_EQ(ask("POST", "/v1/tenants/a:restore"), 200);
  EXPECT_EQ(ask("POST", "/v1/tenants/a:restore"), 404);
  ASSERT_EQ(ask("GET", "/v1/tenants/a/kv/s/k"), 200);
  EXPECT_EQ(reply->body(), "v");
}

TEST_F(Tenants, StoreNoMoreTogetherThanTheOneAboveThemMay) {
  create("a");
  create("a/b");
  create("a/c");
  ASSERT_EQ(ask("PATCH", "/v1/tenants/a", R"({"quotas": {"storage_bytes": 10}})"), 200);
  EXPECT_EQ(ask("PUT", "/v1/tenants/a%2Fb/kv/s/k", "12345"), 204);
  EXPECT_EQ(ask("PUT", "/v1/tenants/a%2Fc/kv/s/k", "12345"), 507);
  EXPECT_TRUE(reply->body().contains("the tenant a,")) << reply->body();
  EXPECT_EQ(ask("GET", "/v1/tenants/a"), 200);
  EXPECT_TRUE(reply->body().contains(R"("stored_bytes":6)")) << reply->body();
  EXPECT_EQ(ask("DELETE", "/v1/tenants/a%2Fb/kv/s/k"), 204);
  EXPECT_EQ(ask("PUT", "/v1/tenants/a%2Fc/kv/s/k", "12345"), 204);
  ASSERT_EQ(ask("PATCH", "/v1/tenants/a", R"({"quotas": {"storage_bytes": null}})"), 200);
  EXPECT_EQ(ask("PUT", "/v1/tenants/a%2Fb/kv/s/k", "12345"), 204);
}

TEST_F(Tenants, ThatThereAreNotKeepNothing) {
  EXPECT_EQ(ask("PUT", "/v1/tenants/none/kv/s/k", "v"), 404);
  EXPECT_EQ(ask("GET", "/v1/tenants/none/kv/s?watch"), 404);
  EXPECT_EQ(ask("PUT", "/v1/tenants/none/secrets/KEY", "v"), 404);
}

}  // namespace
}  // namespace carrel::api
