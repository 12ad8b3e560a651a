#include "patterns/function/host_table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "patterns/function/site.h"

namespace carrel::function {
namespace {

std::shared_ptr<const Site> site(const std::string& app) {
  return std::make_shared<Site>(Site{.app = AppName(app)});
}

std::shared_ptr<const Shares> alone(const std::string& app) {
  return std::make_shared<Shares>(Shares{{{.site = site(app)}}});
}

TEST(HostTable, FindsANameInAnyCase) {
  HostTable table;
  table.set("shop.acme.localhost", alone("shop"));
  ASSERT_NE(table.find("Shop.ACME.localhost"), nullptr);
  EXPECT_EQ(table.find("shop.acme"), nullptr);
  EXPECT_EQ(table.find(std::string(300, 'a')), nullptr);
  table.remove("shop.acme.localhost");
  table.remove("shop.acme.localhost");
  EXPECT_EQ(table.find("shop.acme.localhost"), nullptr);
}

TEST(HostTable, ACopyKeepsWhatItHad) {
  HostTable table;
  table.set("a", alone("one"));
  const HostTable before = table;
  table.set("a", alone("two"));
  const net::Request request;
  EXPECT_EQ(before.find("a")->of(request, 1)->app.str(), "one");
  EXPECT_EQ(table.find("a")->of(request, 1)->app.str(), "two");
}

TEST(HostTable, HoldsThousands) {
  HostTable table;
  for (int i = 0; i < 5000; ++i) table.set("app" + std::to_string(i), alone(std::to_string(i)));
  const net::Request request;
  for (int i = 0; i < 5000; ++i)
    ASSERT_EQ(table.find("app" + std::to_string(i))->of(request, 1)->app.str(), std::to_string(i));
}

TEST(Shares, RequestsAreSpreadAsToldAndAKeyStaysWhereItIs) {
  const Shares shares{{{.site = site("old"), .percent = 90}, {.site = site("new"), .percent = 10}}};
  std::map<std::string, int> counts;
  const net::Request plain;
  for (std::uint64_t id = 1; id <= 10'000; ++id) ++counts[shares.of(plain, id)->app.str()];
  EXPECT_NEAR(counts["new"], 1000, 200);
  counts.clear();
  for (int client = 0; client < 10'000; ++client) {
    const std::string key = "client-" + std::to_string(client);
    net::Request request;
    request.headers.push_back({"Carrel-Version-Key", key});
    const Site* first = shares.of(request, 1);
    ASSERT_EQ(shares.of(request, 2), first);
    ++counts[first->app.str()];
  }
  EXPECT_NEAR(counts["new"], 1000, 200);
}

}  // namespace
}  // namespace carrel::function
