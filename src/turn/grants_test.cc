#include "turn/grants.h"

#include <gtest/gtest.h>

namespace carrel::turn {
namespace {

TEST(Grants, OnlyWhatMayWriteIsGated) {
  Grants grants;
  EXPECT_FALSE(grants.any());
  EXPECT_FALSE(grants.gated());
  grants.kv = {{.store = "prices", .read = true}};
  grants.secrets = {"KEY"};
  grants.http = {{.scheme = "https", .host = "a.example"}};
  EXPECT_TRUE(grants.any());
  EXPECT_FALSE(grants.gated());
  for (auto store : {&Grants::kv, &Grants::counters, &Grants::blobs}) {
    Grants writer;
    (writer.*store) = {{.store = "a", .read = true}, {.store = "b", .write = true}};
    EXPECT_TRUE(writer.gated());
    EXPECT_TRUE(writer.any());
  }
}

TEST(Grants, AreWithinOthersThatHaveAllOfThem) {
  const Grants outer{
      .kv = {{.store = "carts", .read = true}, {.store = "own", .read = true, .write = true}},
      .http = {{.methods = {"GET"}, .scheme = "https", .host = "*.example.com", .port = 443}},
      .secrets = {"KEY"}};
  EXPECT_TRUE(within({}, {}));
  EXPECT_TRUE(within({}, outer));
  EXPECT_TRUE(within(outer, outer));
  EXPECT_FALSE(within(outer, {}));
  EXPECT_TRUE(within({.kv = {{.store = "own", .write = true}}}, outer));
  EXPECT_FALSE(within({.kv = {{.store = "carts", .write = true}}}, outer));
  EXPECT_FALSE(within({.counters = {{.store = "own", .read = true}}}, outer));
  EXPECT_FALSE(within({.blobs = {{.store = "own", .read = true}}}, outer));
  EXPECT_FALSE(within({.secrets = {"OTHER"}}, outer));
}

TEST(Grants, OfCallsAreWithinByMethodSchemeHostAndPort) {
  const Grants outer{
      .http = {
          {.methods = {"GET", "HEAD"}, .scheme = "https", .host = "*.example.com", .port = 443}}};
  const auto fits = [&](HttpGrant inner) { return within({.http = {std::move(inner)}}, outer); };
  EXPECT_TRUE(fits({.methods = {"GET"}, .scheme = "https", .host = "a.example.com", .port = 443}));
  EXPECT_TRUE(
      fits({.methods = {"HEAD"}, .scheme = "https", .host = "*.b.example.com", .port = 443}));
  EXPECT_FALSE(fits({.scheme = "https", .host = "a.example.com", .port = 443}));  // all methods
  EXPECT_FALSE(
      fits({.methods = {"POST"}, .scheme = "https", .host = "a.example.com", .port = 443}));
  EXPECT_FALSE(fits({.methods = {"GET"}, .scheme = "http", .host = "a.example.com", .port = 443}));
  EXPECT_FALSE(fits({.methods = {"GET"}, .scheme = "https", .host = "example.com", .port = 443}));
  EXPECT_FALSE(
      fits({.methods = {"GET"}, .scheme = "https", .host = "badexample.com", .port = 443}));
  EXPECT_FALSE(
      fits({.methods = {"GET"}, .scheme = "https", .host = "a.example.com", .port = 8443}));
}

}  // namespace
}  // namespace carrel::turn
