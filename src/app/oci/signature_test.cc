#include "app/oci/signature.h"

#include <gtest/gtest.h>

#include "app/oci/test_keys.h"
#include "base/base64.h"

namespace carrel::oci {
namespace {

const std::string kDigest = digest_of("image");

TEST(Signatures, LieBesideTheirImage) {
  EXPECT_EQ(signature_tag("sha256:ab12"), "sha256-ab12.sig");
  const auto tagged = parse_reference("ghcr.io/a/b:" + signature_tag(kDigest));
  EXPECT_TRUE(tagged) << "a tag has room for it";
}

TEST(Signatures, APayloadIsAboutOneImage) {
  const std::string payload =
      write_payload(parse_reference("ghcr.io/team/price:1").value(), kDigest);
  EXPECT_EQ(payload, R"({"critical":{"identity":{"docker-reference":"ghcr.io/team/price"},)"
                     R"("image":{"docker-manifest-digest":")" +
                         kDigest + R"("},"type":"cosign container image signature"},)" +
                         R"("optional":null})");
  EXPECT_TRUE(is_payload_of(payload, kDigest));
  EXPECT_FALSE(is_payload_of(payload, digest_of("another")));
}

TEST(Signatures, CosignsOwnIsOne) {
  const std::string image =
      "sha256:0fa4f5e25b519f68aba6aa20a40f571134a4f7d64b3518828c0a351098d3520c";
  const std::string payload =
      R"({"critical":{"identity":{"docker-reference":"127.0.0.1:5055/price"},)"
      R"("image":{"docker-manifest-digest":")" +
      image + R"("},"type":"cosign container image signature"},"optional":null})";
  const auto signature = from_base64(
      "MEQCIGLZp99Y+M8kPdxvCiF9TaCKrAZKAld1E1avnzNRdJZ5AiAyHK6EVaXZEcd3t8DwZwMa1E/3HgOnhaqwUsrCRllg"
      "wg==");
  EXPECT_TRUE(PublicKey::parse(kCosignPublic)->verifies(payload, signature.value()));
  EXPECT_TRUE(is_payload_of(payload, image));
  EXPECT_EQ(write_payload(parse_reference("127.0.0.1:5055/price:1").value(), image), payload);
}

TEST(Signatures, WhatIsNoPayloadIsAboutNone) {
  const std::string image = R"("image":{"docker-manifest-digest":")" + kDigest + R"("})";
  const std::string type = R"("type":"cosign container image signature")";
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{}"), R"({"critical":[]})" + std::string(),
        R"({"critical":{)" + image + "}}", R"({"critical":{)" + type + "}}",
        R"({"critical":{)" + type + R"(,"image":1}})",
        R"({"critical":{)" + type + R"(,"image":{"docker-manifest-digest":1}}})",
        R"({"critical":{"type":"other",)" + image + "}}", "{" + type + "," + image + "}"}) {
    EXPECT_FALSE(is_payload_of(text, kDigest)) << text;
  }
}

}  // namespace
}  // namespace carrel::oci
