#include "store/sealer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carrel::store {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

NodeKey key_of(int fill) {
  NodeKey key;
  key.fill(static_cast<std::byte>(fill));
  return key;
}

const TenantName kShop("shop");

TEST(Sealer, OpensWhatItSealed) {
  const Sealer sealer(key_of(1));
  for (const std::string& secret : {std::string(), std::string("s3cret"), std::string(70'000, 'x')})
    EXPECT_EQ(sealer.open(kShop, "KEY", sealer.seal(kShop, "KEY", secret)).value().view(), secret);
}

TEST(Sealer, OpensWhatAnotherOfTheSameKeySealed) {
  const std::string sealed = Sealer(key_of(1)).seal(kShop, "KEY", "s3cret");
  EXPECT_EQ(Sealer(key_of(1)).open(kShop, "KEY", sealed).value().view(), "s3cret");
}

TEST(Sealer, SealsTheSameDifferentlyEachTimeAndShowsNothing) {
  const Sealer sealer(key_of(1));
  const std::string first = sealer.seal(kShop, "KEY", "s3cret");
  EXPECT_NE(first, sealer.seal(kShop, "KEY", "s3cret"));
  EXPECT_THAT(first, Not(HasSubstr("s3cret")));
  EXPECT_EQ(first.size(), 6 + Sealer::kOverhead);
}

TEST(Sealer, DoesNotOpenWhatWasMovedToAnotherName) {
  const Sealer sealer(key_of(1));
  const std::string sealed = sealer.seal(kShop, "KEY", "s3cret");
  EXPECT_EQ(sealer.open(kShop, "OTHER", sealed).error().code(), Code::data_corrupt);
  EXPECT_EQ(sealer.open(TenantName("bank"), "KEY", sealed).error().code(), Code::data_corrupt);
  // The border between tenant and name counts.
  EXPECT_EQ(sealer.open(TenantName("shopK"), "EY", sealed).error().code(), Code::data_corrupt);
}

TEST(Sealer, SaysWhenTheKeyIsAnother) {
  const std::string sealed = Sealer(key_of(1)).seal(kShop, "KEY", "s3cret");
  const auto opened = Sealer(key_of(2)).open(kShop, "KEY", sealed);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::permission_denied);
  EXPECT_THAT(opened.error().describe(), HasSubstr("another node key"));
}

TEST(Sealer, FindsEveryFlippedBitAndEveryCut) {
  const Sealer sealer(key_of(1));
  const std::string sealed = sealer.seal(kShop, "KEY", "s3cret");
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string damaged = sealed;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(sealer.open(kShop, "KEY", damaged)) << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(sealer.open(kShop, "KEY", sealed.substr(0, size))) << size;
}

}  // namespace
}  // namespace carrel::store
