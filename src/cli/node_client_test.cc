#include "cli/node_client.h"

#include <gtest/gtest.h>

#include "capability/state/names.h"
#include "cli/json_text.h"
#include "cli/server_url.h"

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

TEST(NodeClient, TellsItsTokenOverTlsOrToThisMachine) {
  for (const auto* url :
       {"https://carrel.example.com", "http://localhost:3001", "http://127.0.0.2/",
        "http://[::1]:3001", "http://shop.localhost", "https://10.0.0.1"}) {
    EXPECT_TRUE(check_server_url(url)) << url;
  }
  for (const auto* url : {"http://carrel.example.com", "http://10.0.0.1:3001", "http://[::2]",
                          "http://127.0.0.1.example.com", "http://localhost.example.com",
                          "http://[::ffff:127.0.0.1]", "ftp://localhost", "localhost:3001", ""}) {
    const auto checked = check_server_url(url);
    ASSERT_FALSE(checked) << url;
    EXPECT_EQ(checked.error().code(), Code::invalid_argument) << url;
  }
}

TEST(NodeClient, NamesWhatIsNotUtf8WithoutLoss) {
  for (const std::string name : {"a", "a/\xc3\xbc", "\xff\x01", "\xed\xa0\x80"}) {
    EXPECT_EQ(name_in(named("name", name)), name);
  }
  EXPECT_EQ(named("put", "\xff").dump(), R"({"put64":"/w=="})");
  EXPECT_EQ(name_in({{"name64", "no base64"}}), "");
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
