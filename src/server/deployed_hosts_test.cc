#include "server/deployed_hosts.h"

#include <gtest/gtest.h>

namespace carrel::server {
namespace {

deployment::Scope scope(const std::string& tenant, const std::string& app) {
  return {.tenant = TenantName(tenant), .app = AppName(app)};
}

TEST(DeployedHosts, TheTenantsPathIsReadFromItsEnd) {
  EXPECT_EQ(hosts_of_app(scope("acme/merchant-17", "shop"), "localhost"),
            std::vector<std::string>{"shop.merchant-17.acme.localhost"});
  EXPECT_EQ(host_of_version(scope("acme", "shop"), 7, "apps.example.com"),
            "7--shop.acme.apps.example.com");
}

TEST(DeployedHosts, AnAppInTheTenantOfItsNameHasAShortOne) {
  EXPECT_EQ(hosts_of_app(scope("shop", "shop"), "localhost"),
            (std::vector<std::string>{"shop.localhost", "shop.shop.localhost"}));
  EXPECT_EQ(hosts_of_app(scope("acme/shop", "shop"), "localhost").size(), 1U);
}

}  // namespace
}  // namespace carrel::server
