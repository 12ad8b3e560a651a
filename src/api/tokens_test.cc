#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/test_api.h"

namespace carrel::api {
namespace {

using Json = nlohmann::json;

class Tokens : public ApiFixture {
 protected:
  Tokens() {
    for (const char* name : {"acme", "acme/a", "other"})
      EXPECT_EQ(ask("POST", "/v1/tenants", Json{{"name", name}}.dump()), 201);
  }
  Json json() const { return Json::parse(reply->body()); }
  // Makes one as whoever asks now, and gives what to present.
  std::string make(const std::string& path, const Json& body) {
    EXPECT_EQ(ask("POST", path, body.dump()), 201) << reply->body();
    id = json()["id"];
    return "Bearer " + json()["token"].get<std::string>();
  }
  void as(const std::string& bearer) {
    credentials = bearer;
    request.headers[0].value = credentials;
  }
  std::string credentials, id;
};

const std::string kAcme = "/v1/tenants/acme/tokens";

TEST_F(Tokens, ThatCannotBeMadeAreRefusedWithTheReason) {
  for (const char* body :
       {"{}", R"({"verbs": []})", R"({"verbs": ["everything"]})", R"({"verbs": [1]})",
        R"({"verbs": ["read"], "ttl": 0})", R"({"verbs": ["read"], "ttl": -1})",
        R"({"verbs": ["read"], "more": 1})", R"({"verbs": "read"})"}) {
    EXPECT_EQ(ask("POST", kAcme, body), 400) << body;
  }
  EXPECT_EQ(ask("POST", kAcme, Json{{"verbs", {"read"}}, {"name", std::string(65, 'a')}}.dump()),
            400);
  EXPECT_EQ(ask("POST", "/v1/tenants/none/tokens", R"({"verbs": ["read"]})"), 404);
  EXPECT_EQ(ask("DELETE", kAcme + "/xyz"), 400);
  EXPECT_EQ(ask("DELETE", kAcme + "/0123456789abcdef"), 404);
}

TEST_F(Tokens, OpenTheirSubtreeAndNothingElse) {
  as(make(kAcme, {{"verbs", {"read", "data-read", "data-write"}}}));
  EXPECT_EQ(ask("PUT", "/v1/tenants/acme/kv/s/k", "v"), 204);
  EXPECT_EQ(ask("GET", "/v1/tenants/acme%2Fa/kv/s"), 200);
  EXPECT_EQ(ask("GET", "/v1/tenants/other/kv/s"), 403);
  EXPECT_EQ(ask("GET", "/v1/tenants/none/kv/s"), 403);
  EXPECT_EQ(ask("GET", "/v1/tenants/acme/secrets"), 403);
  EXPECT_TRUE(json()["detail"].get<std::string>().contains("secrets"));
  EXPECT_EQ(ask("GET", "/v1/status"), 403);
  ASSERT_EQ(ask("GET", "/v1/tenants"), 200);
  EXPECT_EQ(json()["tenants"].size(), 2U);
  ASSERT_EQ(ask("GET", "/v1/apps"), 200);
  EXPECT_TRUE(json()["apps"].empty());
}

TEST_F(Tokens, CannotGiveMoreThanTheyHave) {
  const std::string mine =
      make(kAcme, {{"verbs", {"tokens", "read"}}, {"ttl", 60}, {"name", "first"}});
  const auto end = json()["expires"].get<std::uint64_t>();
  as(mine);
  EXPECT_EQ(ask("POST", kAcme, R"({"verbs": ["deploy"]})"), 403);
  EXPECT_EQ(ask("POST", "/v1/tokens", R"({"verbs": ["read"]})"), 403);
  EXPECT_EQ(ask("POST", "/v1/tenants/other/tokens", R"({"verbs": ["read"]})"), 403);
  make("/v1/tenants/acme%2Fa/tokens", {{"verbs", {"read"}}, {"ttl", 3600}});
  EXPECT_EQ(json()["expires"], end);
  EXPECT_TRUE(json()["creator"].get<std::string>().starts_with("token:"));
}

TEST_F(Tokens, OfATenantCannotChangeItsOwnQuotasButThoseBelow) {
  as(make(kAcme, {{"verbs", {"tenants"}}}));
  EXPECT_EQ(ask("PATCH", "/v1/tenants/acme", R"({"quotas": {}})"), 403);
  EXPECT_EQ(ask("DELETE", "/v1/tenants/acme"), 403);
  EXPECT_EQ(ask("PATCH", "/v1/tenants/acme%2Fa", R"({"quotas": {}})"), 200);
  EXPECT_EQ(ask("POST", "/v1/tenants", R"({"name": "acme/b"})"), 201);
  EXPECT_EQ(ask("POST", "/v1/tenants", R"({"name": "another"})"), 403);
  EXPECT_EQ(ask("POST", "/v1/tenants", R"({"name": "other/b"})"), 403);
}

TEST_F(Tokens, AreListedWithoutTheirSecretAndRevoked) {
  const std::string bearer = make(kAcme, {{"verbs", {"read"}}, {"name", "ci"}});
  ASSERT_EQ(ask("GET", kAcme), 200);
  ASSERT_EQ(json()["tokens"].size(), 1U);
  EXPECT_EQ(json()["tokens"][0]["name"], "ci");
  EXPECT_FALSE(reply->body().contains(bearer.substr(bearer.rfind('_'))));
  EXPECT_EQ(ask("DELETE", "/v1/tenants/other/tokens/" + id), 404);
  EXPECT_EQ(ask("DELETE", kAcme + "/" + id), 204);
  as(bearer);
  EXPECT_EQ(ask("GET", "/v1/tenants/acme"), 401);
}

TEST_F(Tokens, OfTheNodeReachEveryTenant) {
  as(make("/v1/tokens", {{"verbs", {"read"}}}));
  EXPECT_EQ(ask("GET", "/v1/tenants/other"), 200);
  EXPECT_EQ(ask("GET", "/v1/tokens"), 403);
}

TEST_F(Tokens, ThatAreWrongTooOftenAreToldToWaitAndThoseThatAreRightAreLetIn) {
  const std::string operators(request.headers[0].value);
  const std::string good = make(kAcme, {{"verbs", {"read"}}});
  as("Bearer carrel_wrong");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ask("GET", "/v1/tenants/acme"), 401);
  EXPECT_EQ(ask("GET", "/v1/tenants/acme"), 429);
  EXPECT_EQ(header("retry-after"), "1");
  as(good);
  EXPECT_EQ(ask("GET", "/v1/tenants/acme"), 200);
  as(operators);
  EXPECT_EQ(ask("GET", "/v1/tenants/acme"), 200);
  as("Bearer carrel_wrong");
  request.remote_address = "127.0.0.2";
  EXPECT_EQ(ask("GET", "/v1/tenants/acme"), 401);
}

TEST_F(Tokens, ACreationThatIsAskedForAgainIsAnsweredAlike) {
  with("Idempotency-Key", "\"once\"");
  make(kAcme, {{"verbs", {"read"}}});
  const std::string first = reply->body();
  make(kAcme, {{"verbs", {"read"}}});
  EXPECT_EQ(reply->body(), first);
  EXPECT_EQ(header("idempotency-replayed"), "true");
  EXPECT_EQ(ask("POST", kAcme, R"({"verbs": ["deploy"]})"), 422);
  request.headers.pop_back();
  ASSERT_EQ(ask("GET", kAcme), 200);
  EXPECT_EQ(json()["tokens"].size(), 1U);
}

TEST_F(Tokens, EveryChangeIsInTheAuditOfItsTenantAndSecretsAreNot) {
  const std::string bearer = make(kAcme, {{"verbs", {"data-write", "secrets"}}});
  as(bearer);
  EXPECT_EQ(ask("PUT", "/v1/tenants/acme/kv/s/k", "first"), 204);
  EXPECT_EQ(ask("PUT", "/v1/tenants/acme/secrets/KEY", "hidden-word"), 204);
  EXPECT_EQ(ask("DELETE", "/v1/tenants/acme/kv/s/k"), 204);
  EXPECT_EQ(ask("GET", "/v1/tenants/acme/audit"), 403);
  as("Bearer a-token-of-at-least-thirty-two-characters");
  ASSERT_EQ(ask("GET", "/v1/tenants/acme/audit"), 200);
  EXPECT_FALSE(reply->body().contains("hidden-word"));
  EXPECT_FALSE(reply->body().contains(bearer.substr(bearer.rfind('_') + 1)));
  std::vector<std::string> actions;
  for (const Json& entry : json()["entries"]) actions.push_back(entry["action"]);
  std::ranges::sort(actions);
  EXPECT_EQ(actions, (std::vector<std::string>{"createTenant", "createToken", "deleteValue",
                                               "putValue", "setSecret"}));
  for (const Json& entry : json()["entries"]) {
    if (entry["action"] != "deleteValue") continue;
    EXPECT_EQ(entry["who"], "token:" + id);
    EXPECT_EQ(entry["from"], "127.0.0.1");
    EXPECT_EQ(entry["target"], "kv/s/k");
    EXPECT_EQ(entry["before"], (Json{{"bytes", 5}}));
    EXPECT_FALSE(entry.contains("after"));
  }
  EXPECT_EQ(ask("GET", "/v1/tenants/none/audit"), 404);
  EXPECT_EQ(ask("GET", "/v1/audit"), 200);
}

}  // namespace
}  // namespace carrel::api
