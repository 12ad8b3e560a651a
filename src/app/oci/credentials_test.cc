#include "app/oci/credentials.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace carrel::oci {
namespace {

Reference named(std::string_view text) { return parse_reference(text).value(); }

std::string auth(std::string_view both) { return R"({"auth":")" + to_base64(both) + R"("})"; }

TEST(Credentials, AreFoundByHostAndByTheBeginningOfAName) {
  const auto all = Credentials::parse(R"({"auths":{
    "ghcr.io":)" + auth("ann:one:two") +
                                      R"(,
    "https://ghcr.io/team":)" + auth("team:pw") +
                                      R"(,
    "https://index.docker.io/v1/":)" + auth("hub:pw") +
                                      R"(,
    "http://localhost:5000/v2/":{"username":"u","password":"p"},
    "empty.example":{},
    "token.example":{"identitytoken":"refresh"}}})");
  ASSERT_TRUE(all) << all.error().message();
  EXPECT_EQ(all->find(named("ghcr.io/other/x:1"))->user, "ann");
  EXPECT_EQ(all->find(named("ghcr.io/other/x:1"))->password, "one:two");
  EXPECT_EQ(all->find(named("ghcr.io/team/x:1"))->user, "team");
  EXPECT_EQ(all->find(named("ghcr.io/teams/x:1"))->user, "ann");
  EXPECT_EQ(all->find(named("docker.io/library/x:1"))->user, "hub");
  EXPECT_EQ(all->find(named("localhost:5000/x:1"))->password, "p");
  EXPECT_EQ(all->find(named("token.example/x:1"))->identity_token, "refresh");
  EXPECT_FALSE(all->find(named("empty.example/x:1")));
  EXPECT_FALSE(all->find(named("localhost:5001/x:1")));
  EXPECT_FALSE(all->find(named("ghcr.io.evil.example/x:1")));
}

TEST(Credentials, AProgramThatKeepsThemIsNamed) {
  const auto all =
      Credentials::parse(R"({"credHelpers":{"a.example":"pass"},"credsStore":"desktop"})");
  EXPECT_EQ(all->helper_of(named("a.example/x:1")), "pass");
  EXPECT_EQ(all->helper_of(named("b.example/x:1")), "desktop");
  EXPECT_FALSE(Credentials().helper_of(named("b.example/x:1")));
}

TEST(Credentials, AFileThatIsNoneIsRefusedWithoutShowingIt) {
  for (const std::string text :
       {"", "[]", "{", R"({"auths":[]})", R"({"auths":{"a.b":1}})", R"({"credHelpers":1})",
        R"({"auths":{"a.b":{"auth":"%%%secret"}}})", R"({"auths":{"a.b":{"auth":"c2VjcmV0"}}})"}) {
    const auto all = Credentials::parse(text);
    ASSERT_FALSE(all) << text;
    EXPECT_EQ(all.error().code(), Code::invalid_config);
    EXPECT_FALSE(all.error().message().contains("secret"));
  }
}

}  // namespace
}  // namespace carrel::oci
