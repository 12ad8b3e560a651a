#include <gtest/gtest.h>

#include "api/operation.h"

namespace carrel::api {
namespace {

Match find(std::string_view method, std::string_view path) {
  return find_operation(all_operations(), method, path);
}

TEST(Operations, PathsThatNoneHasAreNone) {
  for (const std::string_view path :
       {"", "/", "//", "*", "/v1", "/v1/", "/v1/tenants/", "/v1/tenants//kv/a", "/v1/tenants/a/kv",
        "/v1/tenants/a/kv/", "/v1/tenants/a/counters/b", "/v1/tenants/a/things/b/c",
        "/v1/tenants/a/secrets/", "/v1/tenants/a/secrets/B/C", "/v1/tenants/a:b",
        "/v1/tenants/:restore", "/v1/status/", "/V1/status", "v1/status"}) {
    const Match match = find("GET", path);
    EXPECT_EQ(match.operation, nullptr) << path;
    EXPECT_EQ(match.allow, "") << path;
  }
}

TEST(Operations, AnotherMethodOfAPathIsToldWhichThereAre) {
  EXPECT_EQ(find("POST", "/v1/tenants/a/kv/b/c").allow, "PUT, GET, HEAD, DELETE");
  EXPECT_EQ(find("GET", "/v1/store:backup").allow, "POST");
  EXPECT_EQ(find("PUT", "/healthz").allow, "GET, HEAD");
}

TEST(Operations, ParametersAreTakenAsTheyWereSent) {
  const Match match = find("PUT", "/v1/tenants/a%2Fb/kv/carts/x/%/y:z");
  ASSERT_NE(match.operation, nullptr);
  EXPECT_EQ(match.operation->id, "putValue");
  ASSERT_EQ(match.parameters.size(), 3U);
  EXPECT_EQ(match.parameters[0].name, "tenant");
  EXPECT_EQ(match.parameters[0].text, "a%2Fb");
  EXPECT_EQ(match.parameters[1].text, "carts");
  EXPECT_EQ(match.parameters[2].name, "key");
  EXPECT_EQ(match.parameters[2].text, "x/%/y:z");
}

TEST(Operations, AnActionIsTheEndOfAName) {
  const Match match = find("POST", "/v1/tenants/acme:restore");
  ASSERT_NE(match.operation, nullptr);
  EXPECT_EQ(match.operation->id, "restoreTenant");
  EXPECT_EQ(match.parameters[0].text, "acme");
}

TEST(Operations, AHeadIsAGet) {
  ASSERT_NE(find("HEAD", "/v1/status").operation, nullptr);
  EXPECT_EQ(find("HEAD", "/v1/status").operation->id, "status");
}

}  // namespace
}  // namespace carrel::api
