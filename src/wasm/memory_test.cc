#include "wasm/memory.h"

#include <gtest/gtest.h>

#include <array>

namespace carrel::wasm {
namespace {

class Memory : public ::testing::Test {
 protected:
  std::array<std::byte, 64> bytes{};
  GuestMemory memory{bytes.data(), bytes.size()};
};

TEST_F(Memory, GivesNothingOutside) {
  EXPECT_FALSE(memory.slice(GuestPtr{0}, 65));
  EXPECT_FALSE(memory.slice(GuestPtr{64}, 1));
  EXPECT_FALSE(memory.slice(GuestPtr{63}, 2));
  EXPECT_FALSE(memory.slice(GuestPtr{65}, 0));
}

TEST_F(Memory, GivesNothingWhenOffsetAndSizeOverflow) {
  EXPECT_FALSE(memory.slice(GuestPtr{0xffffffff}, 1));
  EXPECT_FALSE(memory.slice(GuestPtr{0xffffffff}, 0xffffffff));
  EXPECT_FALSE(memory.slice(GuestPtr{1}, UINT64_MAX));
  EXPECT_FALSE(memory.slice(GuestPtr{32}, UINT64_MAX - 31));
}

TEST_F(Memory, GivesAnEmptySliceAtItsEnd) {
  auto slice = memory.slice(GuestPtr{64}, 0);
  ASSERT_TRUE(slice);
  EXPECT_EQ(slice->data(), bytes.data() + 64);
}

TEST_F(Memory, GivesTheLastByte) { EXPECT_TRUE(memory.slice(GuestPtr{63}, 1)); }

TEST_F(Memory, RefusesAScalarThatEndsOutside) {
  EXPECT_FALSE(memory.load<std::uint32_t>(GuestPtr{61}));
  EXPECT_FALSE(memory.store<std::uint64_t>(GuestPtr{57}, 1));
  EXPECT_EQ(bytes[63], std::byte{0});
}

TEST_F(Memory, LoadsWhatWasStoredAtAnyAlignment) {
  ASSERT_TRUE(memory.store<std::uint32_t>(GuestPtr{3}, 0x01020304));
  EXPECT_EQ(memory.load<std::uint32_t>(GuestPtr{3}), 0x01020304u);
  EXPECT_EQ(bytes[3], std::byte{4});
}

TEST(MemoryOfAModuleWithout, GivesOnlyEmptySlices) {
  const GuestMemory none;
  EXPECT_FALSE(none.slice(GuestPtr{0}, 1));
  EXPECT_FALSE(none.load<std::uint8_t>(GuestPtr{0}));
  EXPECT_TRUE(none.slice(GuestPtr{0}, 0));
}

}  // namespace
}  // namespace carrel::wasm
