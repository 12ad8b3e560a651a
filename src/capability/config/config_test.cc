#include "capability/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wasi/test_io.h"

namespace carrel::capability::config {
namespace {

using namespace wasi::testing;

TEST(Config, IsOneFileASetting) {
  TestIo io;
  const auto node = mount({{"CURRENCY", "EUR"}, {"RATE", "1.5"}});
  EXPECT_EQ(get(io, *node, "CURRENCY"), "EUR");
  EXPECT_THAT(names(io, *node, ""), ::testing::ElementsAre("CURRENCY", "RATE"));
  EXPECT_EQ(error_of(node->open(io, "CURRENCY", kWrite)), wasi::Errno::rofs);
  EXPECT_EQ(error_of(node->open(io, "OTHER", kRead)), wasi::Errno::noent);
}

TEST(Config, EncodesNamesThatAPathCannotHold) {
  TestIo io;
  const auto node = mount({{"a/b", "1"}, {"..", "2"}, {"", "3"}});
  EXPECT_EQ(get(io, *node, "a%2Fb"), "1");
  EXPECT_EQ(get(io, *node, "%2E."), "2");
  EXPECT_EQ(names(io, *node, "").size(), 2U);
}

TEST(Config, MayBeEmpty) {
  TestIo io;
  EXPECT_TRUE(names(io, *mount({}), "").empty());
}

}  // namespace
}  // namespace carrel::capability::config
