#include "turn/kept_body.h"

#include <gtest/gtest.h>

#include <string>

namespace carrel::turn {
namespace {

std::string read(KeptBody& body, std::size_t most) {
  std::string text(most, '\0');
  text.resize(body.read(std::as_writable_bytes(std::span(text))));
  return text;
}

TEST(KeptBodyAgain, GoesOnFromItsSourceWhereTheFirstRunStopped) {
  async::MemorySource source("abcdef");
  KeptBody body(source);
  EXPECT_EQ(read(body, 2), "ab");
  ASSERT_TRUE(body.rewind());
  EXPECT_EQ(read(body, 1), "a");
  ASSERT_TRUE(body.rewind()) << "in the middle of reading again";
  EXPECT_EQ(read(body, 9), "ab");
  EXPECT_EQ(read(body, 9), "cdef");
  EXPECT_EQ(body.kept(), "abcdef");
  EXPECT_TRUE(body.finished());
}

TEST(KeptBodyAgain, IsReadAgainWhenItIsAsLargeAsIsKept) {
  async::MemorySource source(std::string(kMostKept, 'x'));
  KeptBody body(source);
  EXPECT_EQ(read(body, kMostKept).size(), kMostKept);
  EXPECT_EQ(read(body, 10), "");
  ASSERT_TRUE(body.rewind());
  EXPECT_EQ(read(body, kMostKept + 1).size(), kMostKept);
  EXPECT_TRUE(body.finished());
}

}  // namespace
}  // namespace carrel::turn
