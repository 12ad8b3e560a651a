#include "server/issuers.h"

#include <gtest/gtest.h>

#include <fstream>

namespace carrel::server {
namespace {

class AFileOfIssuers : public ::testing::Test {
 protected:
  AFileOfIssuers() {
    std::string name = std::filesystem::temp_directory_path() / "carrel-issuers-XXXXXX";
    folder = mkdtemp(name.data());
  }
  ~AFileOfIssuers() override { std::filesystem::remove_all(folder); }
  auto load(const std::string& text) {
    std::ofstream(folder / "issuers.toml") << text;
    return load_issuers(folder / "issuers.toml");
  }
  std::filesystem::path folder;
};

const std::string kGood = R"(
[[issuer]]
issuer = "https://id.example"
audience = "shop"
algorithms = ["ES256"]
keys = "keys.json"
tenant = "acme"
)";

TEST_F(AFileOfIssuers, ThatIsWrongIsRefusedWithThePlace) {
  for (const char* more :
       {"more = 1", "[[issuer.access]]\nclaim = \"a\"",
        "[[issuer.access]]\nclaim = \"a\"\n"
        "value = \"b\"\nverbs = [\"everything\"]",
        "[[issuer.access]]\nclaim = \"a\"\nvalue = \"b\"\nverbs = [\"read\"]\ntenant = \"other\"",
        "[[issuer]]",
        "[[issuer]]\nissuer = \"a\"\naudience = \"b\"\nalgorithms = [\"HS256\"]\n"
        "keys = \"k\"",
        "[[issuer]]\nissuer = \"a\"\naudience = \"b\"\nalgorithms = [\"RS256\"]\n"
        "keys = \"http://id.example/keys\"",
        "[[issuer]]\nissuer = \"a\"\naudience = \"b\"\nalgorithms = [\"RS256\"]",
        "[[issuer]]\nissuer = \"http://id.example\"\naudience = \"b\"\nalgorithms = [\"RS256\"]"}) {
    const auto loaded = load(kGood + more);
    ASSERT_FALSE(loaded) << more;
    EXPECT_EQ(loaded.error().code(), Code::invalid_config) << more;
    EXPECT_TRUE(loaded.error().message().contains("issuers.toml:")) << loaded.error().message();
  }
}

TEST_F(AFileOfIssuers, SaysWhoIsBelievedAboutWhom) {
  const auto loaded = load(kGood + R"(
[[issuer.access]]
claim = "groups"
value = "ops"
tenant = "acme/a"
verbs = ["read", "deploy"]

[[issuer]]
issuer = "two"
audience = ["a", "b"]
algorithms = ["RS256", "EdDSA"]
keys = "https://two.example/keys"
)");
  ASSERT_TRUE(loaded) << loaded.error().message();
  ASSERT_EQ((*loaded)->size(), 2U);
  const tenant::Issuer& one = (**loaded)[0];
  EXPECT_EQ(one.file, folder / "keys.json");
  EXPECT_EQ(one.tenant, TenantName("acme"));
  ASSERT_EQ(one.access.size(), 1U);
  EXPECT_EQ(one.access[0].scope, TenantName("acme/a"));
  const tenant::Issuer& two = (**loaded)[1];
  EXPECT_EQ(two.url->text(), "https://two.example/keys");
  EXPECT_EQ(two.tenant, tenant::kNode);
}

TEST_F(AFileOfIssuers, MayLeaveItToTheIssuerWhereItsKeysAre) {
  for (const char* name : {"https://id.example/realm", "https://id.example/realm/"}) {
    const auto loaded = load("[[issuer]]\nissuer = \"" + std::string(name) +
                             "\"\naudience = \"b\"\nalgorithms = [\"RS256\"]");
    ASSERT_TRUE(loaded) << loaded.error().message();
    const tenant::Issuer& issuer = (**loaded)[0];
    EXPECT_EQ(issuer.discovery->text(),
              "https://id.example/realm/.well-known/openid-configuration");
    EXPECT_FALSE(issuer.url);
  }
}

}  // namespace
}  // namespace carrel::server
