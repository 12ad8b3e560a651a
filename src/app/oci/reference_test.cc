#include "app/oci/reference.h"

#include <gtest/gtest.h>

namespace carrel::oci {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

TEST(OciReference, SaysRegistryNameTagAndDigest) {
  const auto whole = parse_reference("oci://localhost:5000/team/price_v2:1.0@" + kDigest);
  ASSERT_TRUE(whole) << whole.error().message();
  EXPECT_EQ(whole->registry, "localhost:5000");
  EXPECT_EQ(whole->repository, "team/price_v2");
  EXPECT_EQ(whole->tag, "1.0");
  EXPECT_EQ(whole->digest, kDigest);
  EXPECT_EQ(whole->version(), kDigest);
  EXPECT_EQ(whole->text(), "oci://localhost:5000/team/price_v2:1.0@" + kDigest);
}

TEST(OciReference, TheSchemeMayBeLeftOutAndAHostIsLowerCase) {
  const auto reference = parse_reference("GHCR.io/Price:1");
  EXPECT_FALSE(reference);
  EXPECT_EQ(parse_reference("GHCR.io/price:V1")->text(), "oci://ghcr.io/price:V1");
  EXPECT_EQ(parse_reference("[::1]:5000/price:v1")->registry, "[::1]:5000");
  EXPECT_EQ(parse_reference("localhost/a--b/c__d:_x")->version(), "_x");
}

TEST(OciReference, RefusesWhatIsNotWrittenOut) {
  const std::string refused[] = {"",
                                 "oci://",
                                 "price",
                                 "price:1",
                                 "team/price:1",
                                 "ghcr.io/price",
                                 "ghcr.io/:1",
                                 "ghcr.io/price:",
                                 "ghcr.io/price@",
                                 "ghcr.io//price:1",
                                 "ghcr.io/price/:1",
                                 "ghcr.io/../price:1",
                                 "ghcr.io/a.-b:1",
                                 "ghcr.io/a___b:1",
                                 "ghcr.io/price:-x",
                                 "ghcr.io/price:a/b",
                                 "ghcr.io/price:1:2",
                                 "ghcr.io/price:1?x",
                                 "ghcr.io/price%2f:1",
                                 "user@ghcr.io/price:1",
                                 "user:pw@ghcr.io/price:1",
                                 "127.1/price:1",
                                 "ghcr.io:0/price:1",
                                 "ghcr.io:99999/price:1",
                                 "http://ghcr.io/price:1",
                                 "ghcr.io/price@sha256:abc",
                                 "ghcr.io/price@SHA256:" + std::string(64, 'a'),
                                 "ghcr.io/price@sha256:" + std::string(64, 'A'),
                                 "ghcr.io/price@sha512:" + std::string(128, 'a'),
                                 "ghcr.io/price@" + kDigest + "@" + kDigest,
                                 "ghcr.io/" + std::string(300, 'a') + ":1",
                                 "ghcr.io/price:" + std::string(129, 'a'),
                                 std::string("ghcr.io/pri\0ce:1", 16),
                                 std::string(5000, 'a')};
  for (const std::string& text : refused) {
    const auto reference = parse_reference(text);
    ASSERT_FALSE(reference) << text;
    EXPECT_EQ(reference.error().code(), Code::invalid_argument);
    EXPECT_FALSE(reference.error().help().empty());
  }
}

}  // namespace
}  // namespace carrel::oci
