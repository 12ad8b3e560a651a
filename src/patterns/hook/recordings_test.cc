#include "patterns/hook/recordings.h"

#include <gtest/gtest.h>

namespace carrel::hook {
namespace {

const TenantName kTenant("acme/m1");

Recording given(std::string input) { return {.status = "answered", .input = std::move(input)}; }

TEST(Recordings, KeepTheNewestOfEachBinding) {
  Recordings recordings;
  for (int i = 0; i < 100; ++i) recordings.add(kTenant, "a", given(std::to_string(i)));
  recordings.add(kTenant, "b", given("b"));
  const auto all = recordings.last(kTenant, "a", 0, 1000);
  ASSERT_EQ(all.size(), Recordings::kMostOfBinding);
  EXPECT_EQ(all.back()->input, "99");
  EXPECT_EQ(all.front()->input, "68");
  EXPECT_EQ(recordings.last(kTenant, "a", all[30]->number, 1000).size(), 1U);
  EXPECT_EQ(recordings.last(kTenant, "a", 0, 2).front()->input, "98");
  EXPECT_TRUE(recordings.last(TenantName("acme/m2"), "a", 0, 1000).empty());
}

TEST(Recordings, HaveABoundForEachAndForAll) {
  Recordings recordings;
  recordings.add(kTenant, "a", given(std::string(Recordings::kMostDocument + 1, 'x')));
  EXPECT_EQ(recordings.last(kTenant, "a", 0, 1).front()->input, "");
  const std::string large(Recordings::kMostDocument, 'x');
  for (int i = 0; i < 10; ++i) recordings.add(kTenant, "a", given(large));
  EXPECT_EQ(recordings.last(kTenant, "a", 0, 100).size(), 3U);
  for (int i = 0; i < 1000; ++i) recordings.add(kTenant, std::to_string(i), given(large));
  EXPECT_TRUE(recordings.last(kTenant, "a", 0, 100).empty());
  EXPECT_EQ(recordings.last(kTenant, "999", 0, 100).size(), 1U);
}

TEST(Recordings, AreForgottenWithTheirBinding) {
  Recordings recordings;
  recordings.add(kTenant, "a", given("1"));
  recordings.forget(kTenant, "a");
  recordings.forget(kTenant, "none");
  EXPECT_TRUE(recordings.last(kTenant, "a", 0, 1).empty());
}

}  // namespace
}  // namespace carrel::hook
