#include "app/oci/challenge.h"

#include <gtest/gtest.h>

namespace carrel::oci {
namespace {

TEST(Challenges, ATokenServiceIsNamedWithItsParameters) {
  const auto all = parse_challenges(
      R"(Bearer realm="https://auth.example.com/token",service="registry, \"main\"",Scope="repository:a/b:pull,push")");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].scheme, "bearer");
  EXPECT_EQ(all[0].parameter("realm"), "https://auth.example.com/token");
  EXPECT_EQ(all[0].parameter("service"), "registry, \"main\"");
  EXPECT_EQ(all[0].parameter("scope"), "repository:a/b:pull,push");
  EXPECT_EQ(all[0].parameter("error"), "");
}

TEST(Challenges, SeveralStandInOneHeader) {
  const auto all = parse_challenges(
      "Negotiate, Basic realm=simple , , NTLM abc==,Bearer realm = \"r\", error=invalid_token");
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].scheme, "negotiate");
  EXPECT_EQ(all[1].parameter("realm"), "simple");
  EXPECT_EQ(all[2].scheme, "ntlm");
  EXPECT_EQ(all[3].parameter("realm"), "r");
  EXPECT_EQ(all[3].parameter("error"), "invalid_token");
}

TEST(Challenges, WhatIsMalformedEndsTheList) {
  EXPECT_TRUE(parse_challenges("").empty());
  EXPECT_TRUE(parse_challenges(" , ,").empty());
  EXPECT_TRUE(parse_challenges("=x").empty());
  EXPECT_TRUE(parse_challenges("Bearer realm=\"never ends").empty());
  EXPECT_TRUE(parse_challenges("Bearer realm=\"ends\\").empty());
  EXPECT_EQ(parse_challenges("Basic realm=a, Bearer realm=\"b\" x").size(), 1U);
}

TEST(Challenges, TheirNumberIsBounded) {
  std::string many, long_one = "Bearer ";
  for (int i = 0; i < 100; ++i) {
    many += "Basic realm=x, ";
    long_one += "a=b, ";
  }
  EXPECT_EQ(parse_challenges(many).size(), 8U);
  EXPECT_TRUE(parse_challenges(long_one).empty());
}

}  // namespace
}  // namespace carrel::oci
