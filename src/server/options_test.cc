#include "server/options.h"

#include <gtest/gtest.h>

namespace carrel::server {
namespace {

TEST(Address, RefusesWhatIsNoAddressAndShowsOne) {
  for (std::string_view text : {"", "3000", "host", "host:", "host:http", "host:70000", "host:-1",
                                "::1:80", "[]:80", "a:1 "}) {
    const auto address = parse_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_TRUE(address.error().help().contains("127.0.0.1:3000"));
  }
}

TEST(Address, ReadsHostAndPort) {
  EXPECT_EQ(parse_address("0.0.0.0:80")->host, "0.0.0.0");
  EXPECT_EQ(parse_address("0.0.0.0:80")->port, 80);
  EXPECT_EQ(parse_address("[::1]:0")->host, "::1");
  EXPECT_EQ(parse_address(":3000")->host, "127.0.0.1");
  EXPECT_EQ(parse_address("localhost:3000")->host, "127.0.0.1");
}

}  // namespace
}  // namespace carrel::server
