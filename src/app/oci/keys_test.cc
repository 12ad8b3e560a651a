#include "app/oci/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/oci/test_keys.h"

namespace carrel::oci {
namespace {

using testing::HasSubstr;

TEST(Keys, WhatOneSignsItsPublicHalfVerifies) {
  const auto key = SigningKey::parse(kPlainKey, "");
  ASSERT_TRUE(key) << key.error().message();
  const auto half = PublicKey::parse(kPlainPublic);
  ASSERT_TRUE(half) << half.error().message();
  EXPECT_EQ(key->public_key().id(), half->id());
  const std::string signature = key->sign("words").value();
  EXPECT_TRUE(half->verifies("words", signature));
  EXPECT_FALSE(half->verifies("other words", signature));
  EXPECT_FALSE(half->verifies("words", signature.substr(1)));
  EXPECT_FALSE(half->verifies("words", signature + "x"));
  EXPECT_FALSE(half->verifies("words", ""));
  EXPECT_FALSE(PublicKey::parse(kCosignPublic)->verifies("words", signature));
}

TEST(Keys, CosignsOwnAreOpenedWithTheirPassword) {
  EXPECT_TRUE(SigningKey::is_encrypted(kCosignKey));
  const auto key = SigningKey::parse(kCosignKey, "pw");
  ASSERT_TRUE(key) << key.error().message();
  EXPECT_EQ(key->public_key().id(), PublicKey::parse(kCosignPublic)->id());
  EXPECT_EQ(SigningKey::parse(kCosignKey, "wrong").error().code(), Code::unauthenticated);
  EXPECT_EQ(SigningKey::parse(kCosignKey, "").error().code(), Code::unauthenticated);
}

TEST(Keys, EncryptedPemNeedsItsPassword) {
  EXPECT_TRUE(SigningKey::is_encrypted(kEncryptedKey));
  EXPECT_FALSE(SigningKey::is_encrypted(kPlainKey));
  EXPECT_EQ(SigningKey::parse(kEncryptedKey, "pw")->public_key().id(),
            PublicKey::parse(kPlainPublic)->id());
  EXPECT_EQ(SigningKey::parse(kEncryptedKey, "").error().code(), Code::unauthenticated);
  EXPECT_EQ(SigningKey::parse(kEncryptedKey, std::string(5000, 'x')).error().code(),
            Code::unauthenticated);
}

TEST(Keys, OtherKindsAreRefused) {
  EXPECT_THAT(SigningKey::parse(kP384Key, "").error().message(), HasSubstr("P-256"));
  EXPECT_THAT(PublicKey::parse(kEd25519Public).error().message(), HasSubstr("P-256"));
  const std::string long_one = std::string(kMaxKeyFile, '\n') + std::string(kPlainPublic);
  for (const std::string_view text : {std::string_view(), std::string_view("hello"),
                                      std::string_view(kPlainKey), std::string_view(long_one)}) {
    EXPECT_EQ(PublicKey::parse(text).error().code(), Code::invalid_argument);
  }
  EXPECT_EQ(SigningKey::parse(kPlainPublic, "").error().code(), Code::invalid_argument);
  EXPECT_EQ(
      SigningKey::parse("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\ne30=", "").error().code(),
      Code::invalid_argument);
}

}  // namespace
}  // namespace carrel::oci
