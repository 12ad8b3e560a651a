#include "patterns/hook/binding_record.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace carrel::hook {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

const TenantName kCustomer("acme/m1");

Json usual() {
  return {{"at", {{"app", "shop"}, {"point", "cart"}}},
          {"module", {{"app", "tweaks"}, {"name", "loyalty"}}}};
}

TEST(BindingRecord, WhatIsLeftOutIsTheUsual) {
  const auto record = read_binding(usual(), kCustomer);
  ASSERT_TRUE(record) << record.error().message();
  EXPECT_EQ(record->tenant.str(), "acme");
  EXPECT_EQ(record->percent, 100U);
  EXPECT_TRUE(record->enabled);
}

TEST(BindingRecord, IsReadAsItWasKept) {
  Json json = usual();
  json.erase("module");
  json["endpoint"] = {{"url", "https://crm.example.com/x"},
                      {"secret", "KEY"},
                      {"format", "cloudevents-binary"},
                      {"disable_after", 60},
                      {"oauth",
                       {{"url", "https://id.example.com/token"},
                        {"client_id", "carrel"},
                        {"client_secret", "ID"},
                        {"scope", "a b"}}}};
  json["percent"] = 7;
  json["enabled"] = false;
  auto record = read_binding(json, kCustomer);
  ASSERT_TRUE(record) << record.error().message();
  record->revision = 12;
  const auto kept = decode_binding(encode(*record), kCustomer);
  ASSERT_TRUE(kept);
  EXPECT_EQ(encode(*kept), encode(*record));
  EXPECT_EQ(kept->revision, 12U);
  EXPECT_FALSE(decode_binding(encode(*record), TenantName("other/m1")));
}

TEST(BindingRecord, IsBoundAboveItsTenantOnly) {
  for (const char* tenant : {"acme/m1", "acme/m2", "acme/m1/x", "acm", "other"}) {
    Json json = usual();
    json["at"]["tenant"] = tenant;
    const auto record = read_binding(json, kCustomer);
    ASSERT_FALSE(record) << tenant;
    EXPECT_EQ(record.error().code(), Code::permission_denied);
  }
  EXPECT_FALSE(read_binding(usual(), TenantName("acme")));
}

TEST(BindingRecord, NamesTheFieldThatIsWrong) {
  Json json = usual();
  json["config"] = {{"A B", "x"}};
  EXPECT_THAT(read_binding(json, kCustomer).error().message(), HasSubstr("A B"));
  json = usual();
  json["percent"] = 101;
  EXPECT_THAT(read_binding(json, kCustomer).error().message(), HasSubstr("percent"));
  json = usual();
  json["endpoint"] = {{"url", "https://a.example"}, {"secret", "KEY"}};
  EXPECT_THAT(read_binding(json, kCustomer).error().message(), HasSubstr("one of them"));
}

TEST(BindingRecord, IsCalledByItsTenantsPathBelowTheApps) {
  EXPECT_EQ(full_name(TenantName("acme"), TenantName("acme/m1/x"), "mine"), "m1/x/mine");
}

}  // namespace
}  // namespace carrel::hook
