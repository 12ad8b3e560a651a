#include "api/served.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/test_api.h"
#include "tenant/path.h"

namespace carrel::api {
namespace {

using Json = nlohmann::json;

class FakeDeployed final : public DeployedIndex {
 public:
  std::size_t apps_deployed() const override { return apps.size(); }
  std::vector<AppInfo> deployed_in(const TenantName& subtree, const AppKey& after,
                                   std::size_t most) const override {
    std::vector<AppInfo> found;
    for (const AppInfo& app : apps) {
      const AppKey key{TenantName(app.tenant), AppName(app.name)};
      if (tenant::contains(subtree, key.first) && after < key && found.size() < most)
        found.push_back(app);
    }
    return found;
  }
  std::optional<std::uint64_t> storage_of(const TenantName& tenant) const override {
    if (tenant == TenantName("acme")) return 4;
    return {};
  }
  std::vector<AppInfo> apps;
};

class Served : public ApiFixture {
 protected:
  Served() {
    for (const char* tenant : {"acme", "acme-2", "acme/x", "zoo"}) {
      for (const char* name : {"a", "b"})
        deployed.apps.push_back({.name = name, .tenant = tenant, .deployed = true});
    }
    node.deployed_ = &deployed;
  }
  // "TENANT:APP " of all pages.
  std::string listed(const std::string& query) {
    std::string text, after;
    do {
      EXPECT_EQ(ask("GET", "/v1/apps?" + query + (after.empty() ? "" : "&after=" + after)), 200);
      const Json page = Json::parse(reply->body());
      for (const Json& app : page["apps"]) {
        text += app["tenant"].get<std::string>() + ":" + app["name"].get<std::string>() + " ";
        EXPECT_EQ(app["deployed"], app["tenant"] != "shop");
      }
      after = page.value("next", "");
    } while (!after.empty());
    return text;
  }
  FakeDeployed deployed;
};

const std::string kAll = "acme:a acme:b acme-2:a acme-2:b acme/x:a acme/x:b shop:shop zoo:a zoo:b ";

TEST_F(Served, AppsOfFoldersAndDeployedOnesAreOneList) {
  for (int limit = 1; limit < 11; ++limit)
    EXPECT_EQ(listed("limit=" + std::to_string(limit)), kAll) << limit;
  EXPECT_EQ(listed("tenant=acme&limit=1"), "acme:a acme:b acme/x:a acme/x:b ");
  EXPECT_EQ(listed("tenant=acme%2Fx"), "acme/x:a acme/x:b ");
  EXPECT_EQ(listed("tenant=acm"), "");
  EXPECT_EQ(listed("tenant=shop"), "shop:shop ");
  for (const char* query : {"?tenant=A", "?after=x", "?limit=0", "?more=1"})
    EXPECT_EQ(ask("GET", std::string("/v1/apps") + query), 400) << query;
}

TEST_F(Served, AppsAreShownWithinTheScopeOnly) {
  ASSERT_EQ(ask("POST", "/v1/tenants", R"({"name": "acme"})"), 201);
  ASSERT_EQ(ask("POST", "/v1/tenants/acme/tokens", R"({"verbs": ["read"]})"), 201);
  const std::string own = "Bearer " + Json::parse(reply->body())["token"].get<std::string>();
  request.headers[0].value = own;
  EXPECT_EQ(listed("limit=2"), "acme:a acme:b acme/x:a acme/x:b ");
  EXPECT_EQ(listed("tenant=acme%2Fx"), "acme/x:a acme/x:b ");
  EXPECT_EQ(listed("tenant=zoo"), "");
}

TEST_F(Served, AppsAreCountedAndSomeAreNamed) {
  for (int i = 0; i < 200; ++i)
    deployed.apps.push_back({.name = "app-" + std::to_string(1000 + i), .tenant = "zoo"});
  ASSERT_EQ(ask("GET", "/v1/status"), 200);
  const Json status = Json::parse(reply->body());
  EXPECT_EQ(status["app_count"], 209);
  ASSERT_EQ(status["apps"].size(), 100U);
  EXPECT_EQ(status["apps"][6], "shop");
}

TEST_F(Served, AppsThatAreDeployedBoundWhatTheirTenantStores) {
  for (const char* tenant : {"acme", "acme/x"})
    ASSERT_EQ(ask("POST", "/v1/tenants", Json{{"name", tenant}}.dump()), 201);
  EXPECT_EQ(ask("PUT", "/v1/tenants/acme/kv/carts/a", "more than four bytes"), 507);
  EXPECT_EQ(ask("PUT", "/v1/tenants/acme%2Fx/kv/carts/a", "more than four bytes"), 204);
}

}  // namespace
}  // namespace carrel::api
