#include "api/state_path.h"

#include <gtest/gtest.h>

namespace carrel::api {
namespace {

TEST(StatePath, NamesThatAreNoneAreRefusedWithTheReason) {
  for (const std::string_view text : {"carts/a//b", "carts/a%2Fb", "carts/%zz", "carts/..",
                                      "carts/a/./b", "carts/", "c%20s/a", "", "/", "/a"}) {
    const auto read = read_state_path(Thing::value, text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code(), Code::invalid_argument) << text;
    EXPECT_FALSE(read.error().message().empty()) << text;
  }
  for (const std::string_view text : {"a/b", "a%20b", "", "1a"})
    EXPECT_FALSE(read_state_path(Thing::secret, text)) << text;
  EXPECT_FALSE(read_state_path(Thing::value, "carts/" + std::string(1025, 'a')));
}

TEST(StatePath, ANameMayHaveSlashesAndAnyBytes) {
  const auto read = read_state_path(Thing::value, "carts/a/%/b%20%00");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->store, "carts");
  EXPECT_EQ(read->name, std::string_view("a//b \0", 6));
}

TEST(StatePath, KnowsListsSecretsAndCounters) {
  EXPECT_EQ(read_state_path(Thing::values, "carts")->store, "carts");
  EXPECT_TRUE(read_state_path(Thing::secrets, ""));
  EXPECT_EQ(read_state_path(Thing::secret, "KEY")->name, "KEY");
  EXPECT_EQ(read_state_path(Thing::counter, "stock/pen")->name, "pen");
}

TEST(StatePath, QueriesAreRefusedUnlessTheyAreUnderstood) {
  for (const std::string_view query : {"limit=0", "limit=1001", "limit=x", "limit=", "other=1",
                                       "prefix=%z", "=", "limit=1&limit=2", "watch=1"}) {
    EXPECT_FALSE(read_list_query(query)) << query;
  }
  for (const std::string_view query : {"ttl=0", "ttl=-1", "ttl=1&ttl=1", "tlt=1", "ttl=1s"})
    EXPECT_FALSE(read_ttl(query)) << query;
  const auto list = read_list_query("prefix=a%2F&after=a+b&limit=7");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->prefix, "a/");
  EXPECT_EQ(list->after, "a b");
  EXPECT_EQ(list->limit, 7U);
  EXPECT_FALSE(list->watch);
  EXPECT_TRUE(read_list_query("watch&prefix=a")->watch);
  EXPECT_EQ(read_ttl("ttl=60")->value(), 60U);
  EXPECT_FALSE(read_ttl("")->has_value());
}

}  // namespace
}  // namespace carrel::api
