#include "patterns/hook/point.h"

#include <gmock/gmock.h>

namespace carrel::hook {
namespace {

using ::testing::ElementsAre;

std::shared_ptr<const Binding> binding(std::string name, const char* tenant, int order = 0,
                                       unsigned percent = 100) {
  return std::make_shared<const Binding>(Binding{.name = std::move(name),
                                                 .module = {.tenant = TenantName(tenant)},
                                                 .order = order,
                                                 .percent = percent});
}

std::vector<std::string> names(const std::vector<const Binding*>& all) {
  std::vector<std::string> names;
  for (const Binding* each : all) names.push_back(each->name);
  return names;
}

struct Fixture {
  App app{.app = AppName("shop"), .tenant = TenantName("acme")};
  Apps apps;
  void bind(const char* tenant, std::vector<std::shared_ptr<const Binding>> all) {
    apps.customers.set(customer_key(app.tenant, app.app, "cart", TenantName(tenant)),
                       std::make_shared<const Bindings>(std::move(all)));
  }
  std::vector<std::string> found(const char* customer) const {
    std::vector<std::string> names;
    for (const auto& each : apps.bound(app, "cart", TenantName(customer)))
      names.push_back(each->name);
    return names;
  }
};

TEST(Apps, FindWhatACustomerAndThoseAboveItHaveBound) {
  Fixture f;
  f.bind("acme/m1", {binding("m1/a", "acme/m1")});
  f.bind("acme/m1/x", {binding("m1/x/b", "acme/m1/x")});
  f.bind("acme/m2", {binding("m2/c", "acme/m2")});
  EXPECT_THAT(f.found("acme/m1/x"), ElementsAre("m1/x/b", "m1/a"));
  EXPECT_THAT(f.found("acme/m1"), ElementsAre("m1/a"));
  EXPECT_THAT(f.found("acme"), ElementsAre());
  EXPECT_THAT(f.found("acme/m3"), ElementsAre());
}

TEST(Apps, FindOneOfThemByItsFullName) {
  Fixture f;
  f.bind("acme/m1/x", {binding("m1/x/b", "acme/m1/x")});
  const TenantName tenant("acme");
  const AppName app("shop");
  EXPECT_NE(f.apps.bound(tenant, app, "cart", "m1/x/b"), nullptr);
  for (const char* name : {"m1/b", "m1/x/c", "b", "/", "", "m1/x/"})
    EXPECT_EQ(f.apps.bound(tenant, app, "cart", name), nullptr) << name;
}

TEST(Chosen, AreInOrderAndOfTheTenant) {
  const Point point{.bindings = {*binding("own", "acme"), *binding("late", "acme", 5),
                                 *binding("other", "acme/m2", 6)}};
  const Bindings customers = {binding("m1/a", "acme/m1", 7), binding("m1/b", "acme/m1", -1)};
  EXPECT_THAT(names(chosen(point, TenantName("acme/m1"), customers, "x")),
              ElementsAre("m1/b", "own", "late", "m1/a"));
  EXPECT_THAT(names(chosen(point, {}, {}, "x")), ElementsAre("own", "late", "other"));
}

TEST(Chosen, AShareIsThatOfTheSubject) {
  const Bindings customers = {binding("m1/a", "acme/m1", 0, 30)};
  int asked = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string subject = std::to_string(i);
    const bool first = !chosen({}, TenantName("acme/m1"), customers, subject).empty();
    EXPECT_EQ(first, !chosen({}, TenantName("acme/m1"), customers, subject).empty());
    asked += first ? 1 : 0;
  }
  EXPECT_GT(asked, 240);
  EXPECT_LT(asked, 360);
}

TEST(Apps, AVersionHasItsShareOfThePlaces) {
  const auto a = std::make_shared<const App>(), b = std::make_shared<const App>();
  const AppShares shares{.all = {{a, 90}, {b, 10}}};
  EXPECT_EQ(shares.of(0), a);
  EXPECT_EQ(shares.of(89), a);
  EXPECT_EQ(shares.of(90), b);
  EXPECT_EQ(shares.of(99), b);
}

}  // namespace
}  // namespace carrel::hook
