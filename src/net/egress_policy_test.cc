#include "net/egress_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carrel::net {
namespace {

using testing::HasSubstr;

IpAddress ip(std::string_view text) { return parse_ip(text).value(); }
IpRange range(std::string_view text) { return parse_range(text).value(); }

TEST(IpAddress, IsWrittenInOneWayOnly) {
  for (const auto* text :
       {"127.0.0.1", "8.8.8.8", "255.255.255.255", "::1", "2001:db8::1", "::ffff:127.0.0.1"}) {
    ASSERT_TRUE(parse_ip(text)) << text;
    EXPECT_EQ(parse_ip(text)->text(), text);
  }
  for (const auto* text :
       {"", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.01", "127.0.0.1.", "1.2.3",
        " 1.2.3.4", "1.2.3.4 ", "256.0.0.1", "[::1]", "fe80::1%eth0", "::1::", "a.b.c.d"}) {
    EXPECT_FALSE(parse_ip(text)) << text;
  }
  EXPECT_FALSE(parse_ip(std::string_view("1.2.3.4\0.5", 10)));
  EXPECT_FALSE(parse_ip(std::string(1 << 20, '1')));
}

TEST(IpRange, IsAnAddressOrItsFirstOneAndAPrefix) {
  EXPECT_TRUE(range("10.0.0.0/8").contains(ip("10.255.0.1")));
  EXPECT_FALSE(range("10.0.0.0/8").contains(ip("11.0.0.0")));
  EXPECT_TRUE(range("172.16.0.0/12").contains(ip("172.31.255.255")));
  EXPECT_FALSE(range("172.16.0.0/12").contains(ip("172.32.0.0")));
  EXPECT_TRUE(range("127.0.0.1").contains(ip("127.0.0.1")));
  EXPECT_FALSE(range("127.0.0.1").contains(ip("127.0.0.2")));
  EXPECT_TRUE(range("0.0.0.0/0").contains(ip("9.9.9.9")));
  EXPECT_FALSE(range("0.0.0.0/0").contains(ip("::1")));
  EXPECT_TRUE(range("fd00::/8").contains(ip("fdff::1")));
  for (const auto* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08",
                           "10.0.0.0/8x", "10.0.0.1/8", "::1/129", "host/8", "10.0.0.0/8/8"}) {
    EXPECT_FALSE(parse_range(text)) << text;
  }
  EXPECT_THAT(parse_range("10.0.0.1/8").error().describe(), HasSubstr("10.0.0.0/8"));
}

TEST(EgressPolicy, LetsPublicAddressesBeCalled) {
  const EgressPolicy policy;
  for (const auto* text : {"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.0.1",
                           "172.32.0.1", "192.0.1.1", "198.17.0.1", "198.20.0.1", "223.255.255.255",
                           "2606:4700::1111", "2a00::1", "2003::1"}) {
    EXPECT_EQ(policy.refusal(ip(text), 443), std::nullopt) << text;
  }
}

TEST(EgressPolicy, RefusesWhatIsNotPublic) {
  const EgressPolicy policy;
  for (const auto* text : {"0.0.0.0",
                           "0.1.2.3",
                           "10.0.0.1",
                           "100.64.0.1",
                           "100.127.255.255",
                           "127.0.0.1",
                           "127.255.0.1",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.8",
                           "192.0.2.1",
                           "192.88.99.1",
                           "192.168.1.1",
                           "198.18.0.1",
                           "198.19.255.1",
                           "198.51.100.1",
                           "203.0.113.1",
                           "224.0.0.1",
                           "239.1.1.1",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "fc00::1",
                           "fd00:ec2::254",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "ff02::1",
                           "100::1",
                           "2001:db8::1",
                           "2001:2::1",
                           "2001:20::1",
                           "3fff::1",
                           "4000::1",
                           "1::1",
                           "5f00::1"}) {
    EXPECT_TRUE(policy.refusal(ip(text), 443)) << text;
  }
}

TEST(EgressPolicy, RefusesFormsThatCarryAnIpv4AddressWhateverItIs) {
  const EgressPolicy policy;
  for (const auto* text :
       {"::ffff:8.8.8.8", "::ffff:127.0.0.1", "::8.8.8.8", "::127.0.0.1", "::ffff:0:8.8.8.8",
        "64:ff9b::8.8.8.8", "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8", "64:ff9b:1:ffff::1",
        "2002:808:808::1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2"}) {
    EXPECT_TRUE(policy.refusal(ip(text), 443)) << text;
  }
}

TEST(EgressPolicy, AnAllowedFormDoesNotAllowTheAddressInIt) {
  EgressPolicy policy{.allowed = {range("64:ff9b::/96"), range("2002::/16")}};
  EXPECT_EQ(policy.refusal(ip("64:ff9b::8.8.8.8"), 443), std::nullopt);
  EXPECT_EQ(policy.refusal(ip("2002:808:808::1"), 443), std::nullopt);
  EXPECT_THAT(policy.refusal(ip("64:ff9b::10.0.0.1"), 443).value(),
              HasSubstr("carries 10.0.0.1, which is private"));
  EXPECT_TRUE(policy.refusal(ip("2002:7f00:1::"), 443));
  policy.allowed.push_back(range("10.0.0.0/8"));
  EXPECT_EQ(policy.refusal(ip("64:ff9b::10.0.0.1"), 443), std::nullopt);
}

TEST(EgressPolicy, TheOperatorMayAllowARange) {
  const EgressPolicy policy{.allowed = {range("127.0.0.0/8"), range("::1"), range("fd00::/8")}};
  EXPECT_EQ(policy.refusal(ip("127.0.0.1"), 80), std::nullopt);
  EXPECT_EQ(policy.refusal(ip("::1"), 80), std::nullopt);
  EXPECT_EQ(policy.refusal(ip("fd00::1"), 80), std::nullopt);
  EXPECT_TRUE(policy.refusal(ip("::ffff:127.0.0.1"), 80));
  EXPECT_TRUE(policy.refusal(ip("10.0.0.1"), 80));
}

TEST(EgressPolicy, OwnListenersAreRefusedHoweverTheyAreWritten) {
  const EgressPolicy policy{
      .allowed = {range("0.0.0.0/0"), range("::/0")},
      .own_listeners = {{ip("127.0.0.1"), 8080}, {ip("8.8.4.4"), 443}, {ip("::ffff:9.9.9.9"), 1}}};
  for (const auto* text : {"127.0.0.1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::127.0.0.1",
                           "2002:7f00:1::", "0.0.0.0", "::"}) {
    EXPECT_THAT(policy.refusal(ip(text), 8080).value_or(""), HasSubstr("this node's own")) << text;
    EXPECT_EQ(policy.refusal(ip(text), 8081), std::nullopt) << text;
  }
  EXPECT_TRUE(policy.refusal(ip("8.8.4.4"), 443));
  EXPECT_TRUE(policy.refusal(ip("9.9.9.9"), 1));
  EXPECT_EQ(policy.refusal(ip("127.0.0.2"), 8080), std::nullopt);
}

TEST(EgressPolicy, AListenerOnAllAddressesIsEveryAddressOfThisHost) {
  for (const auto* any : {"0.0.0.0", "::"}) {
    const EgressPolicy policy{.allowed = {range("0.0.0.0/0"), range("::/0")},
                              .own_listeners = {{ip(any), 8080}}};
    for (const auto* text :
         {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"}) {
      EXPECT_TRUE(policy.refusal(ip(text), 8080)) << text;
    }
    EXPECT_EQ(policy.refusal(ip("8.8.8.8"), 8080), std::nullopt);
    EXPECT_EQ(policy.refusal(ip("127.0.0.1"), 80), std::nullopt);
  }
}

}  // namespace
}  // namespace carrel::net
