#include "store/fresh_parts.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>

namespace carrel::store {
namespace {

constexpr std::size_t kPart = 1 << 20;
constexpr std::optional<Code> kAdded;

struct SetClock final : Clock {
  Instant now() const override { return {}; }
  WallTime wall() const override { return time; }
  WallTime time{std::chrono::hours(1000)};
};

class FreshPartsTest : public testing::Test {
 protected:
  static PartHash hash(unsigned number) {
    PartHash hash{};
    for (int i = 0; i < 4; ++i) hash.at(i) = static_cast<std::uint8_t>(number >> (8 * i));
    return hash;
  }
  // Nothing: it was.
  std::optional<Code> add(unsigned number, const TenantName& tenant, std::size_t size = kPart) {
    const auto added = parts.add(tenant, hash(number), size);
    return added ? std::optional<Code>() : added.error().code();
  }

  const TenantName acme{"acme"}, below{"acme/below"}, other{"other"};
  SubtreeQuotas quotas;
  std::set<PartHash> used;
  SetClock clock;
  FreshParts parts{quotas, clock,
                   [this](const TenantName&, const PartHash& h) { return used.contains(h); }};
};

TEST_F(FreshPartsTest, CountBesideWhatIsStored) {
  quotas.limit("acme", 3 * kPart);
  count(quotas.of("acme"), kPart);
  EXPECT_EQ(add(1, acme), kAdded);
  EXPECT_EQ(add(2, below), kAdded);
  EXPECT_EQ(add(3, below), Code::quota_exceeded);
  EXPECT_EQ(add(1, acme), kAdded);  // it is there
  EXPECT_EQ(add(3, other), kAdded);
}

TEST_F(FreshPartsTest, ThatHaveComeIntoUseCountOnce) {
  quotas.limit("acme", 2 * kPart);
  EXPECT_EQ(add(1, acme), kAdded);
  used.insert(hash(1));
  count(quotas.of("acme"), kPart);  // the commit
  EXPECT_EQ(add(2, acme), kAdded);
  EXPECT_EQ(add(3, acme), Code::quota_exceeded);
}

TEST_F(FreshPartsTest, ThatWereNotWrittenOrAreSweptNoLongerCount) {
  quotas.limit("acme", kPart);
  EXPECT_EQ(add(1, acme), kAdded);
  parts.drop(acme, hash(1));
  EXPECT_EQ(add(2, acme), kAdded);
  EXPECT_EQ(add(3, acme), Code::quota_exceeded);
  clock.time += std::chrono::hours(3);
  EXPECT_EQ(add(3, acme), kAdded);
}

TEST_F(FreshPartsTest, AreBoundedInNumberAndSmallOnesAreNotFree) {
  for (unsigned i = 0; i < FreshParts::kMost; ++i) ASSERT_EQ(add(i, acme, 1), kAdded);
  EXPECT_EQ(add(1 << 20, below, 1), Code::quota_exceeded);
  EXPECT_EQ(add(1 << 20, other, 1), kAdded);
  EXPECT_EQ(quotas.of("acme").fresh, static_cast<std::int64_t>(FreshParts::kMost * 4096));
}

}  // namespace
}  // namespace carrel::store
