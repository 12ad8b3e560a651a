#include "patterns/hook/signature.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <array>

#include "base/base64.h"

namespace carrel::hook {
namespace {

constexpr std::string_view kKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr std::string_view kId = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr std::string_view kBody = R"({"test": 2432232314})";
constexpr std::string_view kSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

TEST(Signature, IsThatOfTheSpecification) {
  const auto keys = SigningKeys::parse(kKey);
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->sign(kId, 1614265330, kBody), kSignature);
}

TEST(Signature, IsMadeWithEachKeyOfASecret) {
  const std::string other = "whsec_" + to_base64(std::string(24, 'x'));
  const auto keys = SigningKeys::parse(other + "\n  " + std::string(kKey) + "\n");
  ASSERT_TRUE(keys);
  const std::string header = keys->sign(kId, 1614265330, kBody);
  EXPECT_TRUE(header.starts_with("v1,"));
  EXPECT_TRUE(header.ends_with(" " + std::string(kSignature)));
}

TEST(Signature, OfAnOwnKeyIsVerifiedByItsPublicHalf) {
  const std::string seed(32, 'k');
  const auto keys = SigningKeys::parse("whsk_" + to_base64(seed));
  ASSERT_TRUE(keys);
  const std::string header = keys->sign("id", 5, "body");
  ASSERT_TRUE(header.starts_with("v1a,"));
  const auto signature = from_base64(header.substr(4));
  ASSERT_TRUE(signature);
  ASSERT_EQ(signature->size(), crypto_sign_BYTES);
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> open{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret{};
  crypto_sign_seed_keypair(open.data(), secret.data(),
                           reinterpret_cast<const unsigned char*>(seed.data()));
  const std::string content = "id.5.body";
  EXPECT_EQ(crypto_sign_verify_detached(reinterpret_cast<const unsigned char*>(signature->data()),
                                        reinterpret_cast<const unsigned char*>(content.data()),
                                        content.size(), open.data()),
            0);
}

TEST(Signature, NeedsProperKeys) {
  const std::string many = [] {
    std::string text;
    for (std::size_t i = 0; i <= kMostKeys; ++i) text += std::string(kKey) + " ";
    return text;
  }();
  for (const std::string& bad :
       {std::string(), std::string("   "), std::string("secret"), std::string("whsec_"),
        std::string("whsec_!!!!"), "whsec_" + to_base64(std::string(23, 'x')),
        "whsec_" + to_base64(std::string(65, 'x')), "whsk_" + to_base64(std::string(33, 'x')),
        std::string(kKey) + " x", many}) {
    const auto keys = SigningKeys::parse(bad);
    ASSERT_FALSE(keys) << bad;
    EXPECT_EQ(keys.error().code(), Code::invalid_config);
    if (bad.size() > 10) {
      EXPECT_EQ(keys.error().message().find(bad.substr(6, 8)), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace carrel::hook
