#include "cli/node_client.h"

#include <gtest/gtest.h>

#include "capability/state/names.h"
#include "cli/json_text.h"

namespace carrel::cli {
namespace {

TEST(NodeClient, WritesANameSoThatTheServerReadsTheSame) {
  for (const std::string name : {"a", "a/b c", "a//b", "/a", "a/", "../.", "%", "a%2Fb", "\xff\x01",
                                 "?x=1&y#z", "\xc3\xbc"}) {
    const auto found = capability::state::locate("carts/" + encode_path(name));
    ASSERT_TRUE(found) << encode_path(name);
    EXPECT_EQ(found->name, name);
    for (const char c : encode_path(name)) EXPECT_TRUE(c > ' ' && c < 127 && c != '?' && c != '#');
  }
}

TEST(NodeClient, WritesTheTargetOfAStoreAndOfAName) {
  EXPECT_EQ(target_of("shop", "kv", "carts", ""), "/v1/tenants/shop/kv/carts");
  EXPECT_EQ(target_of("shop", "kv", "carts", "a/.."), "/v1/tenants/shop/kv/carts/a/%2E.");
  EXPECT_EQ(target_of("shop", "secrets", "", "KEY"), "/v1/tenants/shop/secrets/KEY");
  EXPECT_EQ(target_of("a/b", "secrets", "", ""), "/v1/tenants/a%2Fb/secrets");
}

TEST(NodeClient, TakesOnlyTextsOutOfWhatAServerAnswers) {
  EXPECT_EQ(text_in({{"name", "a"}}, "name"), "a");
  for (const nlohmann::json& json : {nlohmann::json{{"name", 5}}, nlohmann::json{{"name", nullptr}},
                                     nlohmann::json{{"other", "a"}}, nlohmann::json("name"),
                                     nlohmann::json(7), nlohmann::json()}) {
    EXPECT_EQ(text_in(json, "name"), "") << json;
  }
}

}  // namespace
}  // namespace carrel::cli
