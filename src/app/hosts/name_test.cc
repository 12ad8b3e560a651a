#include "app/hosts/name.h"

#include <gtest/gtest.h>

#include <string>

namespace carrel::hosts {
namespace {

TEST(HostName, IsLowerCaseWithoutADotAtTheEnd) {
  EXPECT_EQ(normal_name("Shop.Example.COM."), "shop.example.com");
  EXPECT_EQ(normal_name("xn--bcher-kva.example"), "xn--bcher-kva.example");
  EXPECT_EQ(normal_name("a-1.b2.example"), "a-1.b2.example");
  EXPECT_EQ(normal_name("9.example"), "9.example");
}

TEST(HostName, RefusesWhatNobodyMayClaim) {
  for (const char* bad : {"",
                          ".",
                          "..",
                          "example",
                          "a..example",
                          ".example.com",
                          "*.example.com",
                          "a.*.com",
                          "-a.example",
                          "a-.example",
                          "a_b.example",
                          "a b.example",
                          "a.example:80",
                          "[::1]",
                          "::1",
                          "127.0.0.1",
                          "10.1",
                          "0x7f.1",
                          "localhost",
                          "LOCALHOST.",
                          "a.b.localhost",
                          "b\xc3\xbc.example",
                          "ab--c.example",
                          "a.example/..",
                          "a.example..",
                          "a%2e.example"}) {
    const auto name = normal_name(bad);
    ASSERT_FALSE(name) << bad;
    EXPECT_EQ(name.error().code(), Code::invalid_argument);
  }
  EXPECT_FALSE(normal_name(std::string(64, 'a') + ".example"));
  EXPECT_TRUE(normal_name(std::string(63, 'a') + ".example"));
  std::string longest;
  while (longest.size() < 250) longest += "a.";
  EXPECT_TRUE(normal_name(longest + "abc"));
  EXPECT_FALSE(normal_name(longest + "abcd"));
}

TEST(HostName, LiesWithinItsDomain) {
  EXPECT_TRUE(is_within("a.example.com", "example.com"));
  EXPECT_TRUE(is_within("example.com", "example.com"));
  EXPECT_FALSE(is_within("badexample.com", "example.com"));
  EXPECT_FALSE(is_within("com", "example.com"));
}

}  // namespace
}  // namespace carrel::hosts
