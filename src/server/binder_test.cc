#include "server/binder.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace carrel::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A shop with a point, and customers with an app of one module each.
struct Fixture {
  hook::Apps apps;
  Binder binder;
  std::uint64_t revision = 0;

  Fixture() { serve_shop({.modules = true}); }

  void serve(const char* tenant, const char* name, hook::App app) {
    app.tenant = TenantName(tenant);
    app.app = AppName(name);
    const auto shares = std::make_shared<hook::AppShares>();
    shares->all.push_back({std::make_shared<const hook::App>(std::move(app))});
    apps.live.set(hook::app_key(TenantName(tenant), AppName(name)), shares);
    binder.follow(TenantName(tenant), AppName(name), apps);
  }
  void serve_shop(app::Customers customers) {
    hook::App app;
    app.points.emplace("cart", hook::Point{.name = "cart", .customers = customers});
    serve("acme", "shop", std::move(app));
  }
  void serve_tweaks(const std::string& tenant, const char* module = "loyalty") {
    hook::App app;
    app.modules.push_back({.name = module, .module = {.tenant = TenantName(tenant)}});
    serve(tenant.c_str(), "tweaks", std::move(app));
  }
  void stop(const char* tenant, const char* name) {
    apps.live.remove(hook::app_key(TenantName(tenant), AppName(name)));
    binder.follow(TenantName(tenant), AppName(name), apps);
  }
  void bind(const std::string& tenant, const char* name, int order = 0) {
    hook::BindingRecord record{.revision = ++revision,
                               .tenant = TenantName("acme"),
                               .app = AppName("shop"),
                               .point = "cart",
                               .from = AppName("tweaks"),
                               .module = "loyalty",
                               .config = {},
                               .order = order};
    binder.set({TenantName(tenant), name}, revision, std::move(record), apps);
  }
  std::string state(const char* tenant, const char* name) {
    return binder.state({TenantName(tenant), name}).state;
  }
  std::vector<std::string> called(const std::string& tenant) const {
    const hook::App shop{.app = AppName("shop"), .tenant = TenantName("acme")};
    std::vector<std::string> names;
    for (const auto& each : apps.bound(shop, "cart", TenantName(tenant)))
      names.push_back(each->name);
    return names;
  }
};

TEST(Binder, CallsWhatIsThereInOrder) {
  Fixture f;
  f.serve_tweaks("acme/m1");
  f.bind("acme/m1", "b", 2);
  f.bind("acme/m1", "a", 1);
  EXPECT_THAT(f.called("acme/m1"), ElementsAre("m1/a", "m1/b"));
  EXPECT_THAT(f.called("acme/m2"), IsEmpty());
}

TEST(Binder, FollowsBothApps) {
  Fixture f;
  f.bind("acme/m1", "a");
  EXPECT_EQ(f.state("acme/m1", "a"), "no_module");
  f.serve_tweaks("acme/m1", "other");
  EXPECT_EQ(f.state("acme/m1", "a"), "no_module");
  f.serve_tweaks("acme/m1");
  EXPECT_EQ(f.state("acme/m1", "a"), "live");
  f.serve_shop({.endpoints = true});
  EXPECT_EQ(f.state("acme/m1", "a"), "not_allowed");
  EXPECT_THAT(f.called("acme/m1"), IsEmpty());
  f.stop("acme", "shop");
  EXPECT_EQ(f.state("acme/m1", "a"), "no_app");
  f.serve_shop({.modules = true});
  EXPECT_THAT(f.called("acme/m1"), ElementsAre("m1/a"));
}

TEST(Binder, ShowsNoMoreThanEveryVersionLetsBeSeen) {
  Fixture f;
  const hook::BindingRecord record{
      .tenant = TenantName("acme"), .app = AppName("shop"), .point = "cart", .config = {}};
  const auto serve = [&](std::vector<app::Record> versions) {
    const auto shares = std::make_shared<hook::AppShares>();
    for (const app::Record each : versions) {
      hook::App app{.app = AppName("shop"), .tenant = TenantName("acme")};
      app.points.emplace("cart", hook::Point{.name = "cart", .record = each});
      shares->all.push_back({std::make_shared<const hook::App>(std::move(app)), 50});
    }
    f.apps.live.set(hook::app_key(TenantName("acme"), AppName("shop")), shares);
  };
  serve({app::Record::all});
  EXPECT_EQ(Binder::privacy(record, f.apps).record, app::Record::all);
  serve({app::Record::all, app::Record::failures});
  EXPECT_EQ(Binder::privacy(record, f.apps).record, app::Record::failures);
  hook::BindingRecord other = record;
  other.point = "none";
  EXPECT_EQ(Binder::privacy(other, f.apps).record, app::Record::none);
  f.stop("acme", "shop");
  EXPECT_EQ(Binder::privacy(record, f.apps).record, app::Record::none);
}

TEST(Binder, SaysWhatIsThereAndNotCalled) {
  Fixture f;
  const auto why = [&](const char* name) {
    return f.apps.why_resting(TenantName("acme"), AppName("shop"), "cart", name);
  };
  EXPECT_EQ(why("m1/a"), std::nullopt);
  f.bind("acme/m1", "a");
  f.bind("acme/m1", "b");
  EXPECT_EQ(why("m1/a"), "the app tweaks is not served");
  EXPECT_EQ(why("m1/c"), std::nullopt);
  EXPECT_EQ(why("m2/a"), std::nullopt);
  EXPECT_EQ(why("a"), std::nullopt);
  f.serve_tweaks("acme/m1");
  EXPECT_EQ(why("m1/a"), std::nullopt);
  f.stop("acme", "shop");
  EXPECT_EQ(why("m1/a"), "the app shop of acme is not served");
  f.binder.set({TenantName("acme/m1"), "a"}, 100, {}, f.apps);
  EXPECT_EQ(why("m1/a"), std::nullopt);
  EXPECT_NE(why("m1/b"), std::nullopt);
}

TEST(Binder, AnOlderChangeThatComesLateChangesNothing) {
  Fixture f;
  f.serve_tweaks("acme/m1");
  f.bind("acme/m1", "a");
  const Binder::Key key{TenantName("acme/m1"), "a"};
  f.binder.set(key, 10, {}, f.apps);
  EXPECT_THAT(f.called("acme/m1"), IsEmpty());
  f.bind("acme/m1", "a");  // revision 2
  EXPECT_THAT(f.called("acme/m1"), IsEmpty());
}

TEST(Binder, KeepsTenThousandCustomersApart) {
  Fixture f;
  for (int i = 0; i < 10'000; ++i) {
    const std::string tenant = fmt::format("acme/m{}", i);
    f.serve_tweaks(tenant);
    f.bind(tenant, "a");
  }
  EXPECT_THAT(f.called("acme/m7777"), ElementsAre("m7777/a"));
  f.serve_shop({});
  EXPECT_THAT(f.called("acme/m7777"), IsEmpty());
  EXPECT_EQ(f.state("acme/m9999", "a"), "not_allowed");
}

}  // namespace
}  // namespace carrel::server
