#include "api/state_path.h"

#include <gtest/gtest.h>

namespace carrel::api {
namespace {

TEST(StatePath, NamesThatAreNoneAreRefusedWithTheReason) {
  for (const std::string_view path :
       {"/v1/apps/shop/kv/carts/a//b", "/v1/apps/shop/kv/carts/a%2Fb", "/v1/apps/shop/kv/carts/%zz",
        "/v1/apps/shop/kv/carts/..", "/v1/apps/shop/kv/carts/a/./b", "/v1/apps/shop/kv/carts/",
        "/v1/apps/shop/kv/c%20s/a", "/v1/apps/shop/secrets/a/b", "/v1/apps/shop/secrets/a%20b"}) {
    const auto read = read_state_path(path);
    ASSERT_FALSE(read) << path;
    EXPECT_EQ(read.error().code(), Code::invalid_argument) << path;
    EXPECT_FALSE(read.error().message().empty()) << path;
  }
  EXPECT_FALSE(read_state_path("/v1/apps/shop/kv/carts/" + std::string(1025, 'a')));
}

TEST(StatePath, PathsThatTheApiHasNotAreNotFound) {
  for (const std::string_view path :
       {"/v1/apps/", "/v1/apps/shop", "/v1/apps/shop/", "/v1/apps/shop/kv", "/v1/apps/shop/kv/",
        "/v1/apps/shop/blobs/a/b", "/v1/apps/shop/counters/stock"}) {
    const auto read = read_state_path(path);
    ASSERT_FALSE(read) << path;
    EXPECT_EQ(read.error().code(), Code::not_found) << path;
  }
}

TEST(StatePath, ANameMayHaveSlashesAndAnyBytes) {
  const auto read = read_state_path("/v1/apps/shop/kv/carts/a/%/b%20%00");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->thing, Thing::value);
  EXPECT_EQ(read->app, "shop");
  EXPECT_EQ(read->store, "carts");
  EXPECT_EQ(read->name, std::string_view("a//b \0", 6));
}

TEST(StatePath, KnowsListsSecretsAndCounters) {
  EXPECT_EQ(read_state_path("/v1/apps/shop/kv/carts")->thing, Thing::values);
  EXPECT_EQ(read_state_path("/v1/apps/shop/secrets")->thing, Thing::secrets);
  EXPECT_EQ(read_state_path("/v1/apps/shop/secrets/KEY")->thing, Thing::secret);
  EXPECT_EQ(read_state_path("/v1/apps/shop/counters/stock/pen")->thing, Thing::counter);
}

TEST(StatePath, QueriesAreRefusedUnlessTheyAreUnderstood) {
  for (const std::string_view query :
       {"limit=0", "limit=1001", "limit=x", "limit=", "other=1", "prefix=%z", "="}) {
    EXPECT_FALSE(read_list_query(query)) << query;
  }
  for (const std::string_view query : {"ttl=0", "ttl=-1", "ttl=1&ttl=1", "tlt=1", "ttl=1s"})
    EXPECT_FALSE(read_ttl(query)) << query;
  const auto list = read_list_query("prefix=a%2F&after=a+b&limit=7");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->prefix, "a/");
  EXPECT_EQ(list->after, "a b");
  EXPECT_EQ(list->limit, 7U);
  EXPECT_EQ(read_ttl("ttl=60")->value(), 60U);
  EXPECT_FALSE(read_ttl("")->has_value());
}

}  // namespace
}  // namespace carrel::api
