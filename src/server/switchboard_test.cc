#include "server/switchboard.h"

#include <gmock/gmock.h>

namespace carrel::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Deployed : public testing::Test {
 protected:
  static deployment::Scope scope(const char* tenant, const char* app) {
    return {.tenant = TenantName(tenant), .app = AppName(app)};
  }
  void serve(const char* tenant, const char* app, std::uint64_t storage = 1) {
    board.set_app(scope(tenant, app), ++revision,
                  {.live = {.sites = std::make_shared<const function::Shares>(), .points = {}},
                   .hosts = {std::string(app) + ".host"},
                   .previews = {{"preview." + std::string(app), {}}},
                   .info = std::make_shared<const api::AppInfo>(
                       api::AppInfo{.name = app, .tenant = tenant, .storage = storage})},
                  {});
  }
  void end(const char* tenant, const char* app) {
    board.set_app(scope(tenant, app), ++revision, {}, {});
  }
  std::vector<std::string> in(const char* subtree, const char* after_tenant = "",
                              const char* after_app = "", std::size_t most = 100) {
    std::vector<std::string> all;
    for (const auto& app : board.deployed_in(TenantName(subtree),
                                             {TenantName(after_tenant), AppName(after_app)}, most))
      all.push_back(app.tenant + ":" + app.name);
    return all;
  }
  Switchboard board;
  std::uint64_t revision = 0;
};

TEST_F(Deployed, AppsAreListedInOrderWithinASubtree) {
  for (const char* tenant : {"zoo", "acme/x", "acme", "acme-2"}) serve(tenant, "a");
  serve("acme", "b");
  EXPECT_EQ(board.apps_deployed(), 5U);
  EXPECT_THAT(in(""), ElementsAre("acme:a", "acme:b", "acme-2:a", "acme/x:a", "zoo:a"));
  EXPECT_THAT(in("acme"), ElementsAre("acme:a", "acme:b", "acme/x:a"));
  EXPECT_THAT(in("acme", "acme", "a", 1), ElementsAre("acme:b"));
  EXPECT_THAT(in("acme", "acme", "b"), ElementsAre("acme/x:a"));
  EXPECT_THAT(in("acme", "zoo", "a"), IsEmpty());
  EXPECT_THAT(in("acme", "aaa", "z"), ElementsAre("acme:a", "acme:b", "acme/x:a"));
  const auto all = board.deployed_in(TenantName("zoo"), {}, 1);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].deployed);
  EXPECT_THAT(all[0].hosts, ElementsAre("a.host"));
}

TEST_F(Deployed, AppsThatAreNotLiveAreNotCounted) {
  serve("acme", "a");
  serve("acme", "a");
  EXPECT_EQ(board.apps_deployed(), 1U);
  end("acme", "a");
  end("acme", "a");
  EXPECT_EQ(board.apps_deployed(), 0U);
  EXPECT_THAT(in(""), IsEmpty());
  EXPECT_EQ(board.storage_of(TenantName("acme")), std::nullopt);
}

TEST_F(Deployed, AppsSayWhatTheirTenantMayStore) {
  serve("acme", "a", 5);
  serve("acme", "b", 7);
  serve("acme", "c", 6);
  serve("acme/x", "a", 9);
  EXPECT_EQ(board.storage_of(TenantName("acme")), 7U);
  EXPECT_EQ(board.storage_of(TenantName("acme/x")), 9U);
  EXPECT_EQ(board.storage_of(TenantName("acm")), std::nullopt);
}

}  // namespace
}  // namespace carrel::server
