#include "net/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carrel::net {
namespace {

std::string read(std::string_view text) {
  const auto url = parse_url(text);
  return url ? url->text() : "refused: " + std::string(url.error().message());
}

TEST(Url, IsReadIntoItsParts) {
  const Url url = parse_url("HTTPS://Rates.Example.COM:8443/v1/a%20b?x=1&y=/#part").value();
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "rates.example.com");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.target, "/v1/a%20b?x=1&y=/");
  EXPECT_EQ(url.authority(), "rates.example.com:8443");
}

TEST(Url, TheUsualPortIsLeftOut) {
  EXPECT_EQ(read("http://a.b"), "http://a.b/");
  EXPECT_EQ(read("http://a.b:80/"), "http://a.b/");
  EXPECT_EQ(read("https://a.b:443?q"), "https://a.b/?q");
  EXPECT_EQ(read("https://a.b:80/x"), "https://a.b:80/x");
  EXPECT_EQ(read("http://a.b#f"), "http://a.b/");
  EXPECT_EQ(read("http://a.b?x@y"), "http://a.b/?x@y");
}

TEST(Url, AddressesAreHostsToo) {
  EXPECT_EQ(read("http://127.0.0.1:8080/"), "http://127.0.0.1:8080/");
  EXPECT_EQ(read("http://[2001:DB8::0:1]:8080/"), "http://[2001:db8::1]:8080/");
  EXPECT_EQ(parse_url("http://[::1]/")->host, "::1");
}

TEST(Url, WhatTwoReadersCouldUnderstandDifferentlyIsRefused) {
  for (const auto* text : {"",
                           "a.b",
                           "/path",
                           "//a.b/",
                           "ftp://a.b/",
                           "file:///etc/passwd",
                           "http:/a.b",
                           "http://",
                           "http:///x",
                           "http://?x",
                           "http://:80/",
                           "http://user@a.b/",
                           "http://user:word@a.b/",
                           "http://@a.b/",
                           "http://a.b@c.d/",
                           "http://a.b\\@c.d/",
                           "http://a.b\\c",
                           "http://a b/",
                           "http://a.b/ x",
                           "http://a.b/\tx",
                           "http://a.b/\r\nHost: c",
                           "http://a.b/\x7f",
                           "http://\xc3\xa4.b/",
                           "http://a.b/\xc3\xa4",
                           "http://127.1/",
                           "http://0x7f.1/",
                           "http://0x7f000001/",
                           "http://2130706433/",
                           "http://0177.0.0.1/",
                           "http://127.0.0.1./",
                           "http://127.0.0.256/",
                           "http://1.2.3.4.5/",
                           "http://a.0x/",
                           "http://a.1/",
                           "http://a.b./",
                           "http://.a/",
                           "http://a..b/",
                           "http://-a.b/",
                           "http://a%2eb/",
                           "http://a.b:/",
                           "http://a.b:0/",
                           "http://a.b:65536/",
                           "http://a.b:+80/",
                           "http://a.b:8x/",
                           "http://a.b:000080/",
                           "http://[::1/",
                           "http://::1/",
                           "http://[127.0.0.1]/",
                           "http://[fe80::1%25eth0]/",
                           "http://[]/",
                           "http://[::1]x/",
                           "http://a,b/"}) {
    EXPECT_FALSE(parse_url(text)) << text << " was read as " << read(text);
  }
  EXPECT_FALSE(parse_url(std::string_view("http://a.b/\0", 12)));
}

TEST(Url, IsBounded) {
  const std::string front = "http://a.b/";
  EXPECT_TRUE(parse_url(front + std::string(kMaxUrl - front.size(), 'x')));
  EXPECT_FALSE(parse_url(front + std::string(kMaxUrl, 'x')));
  EXPECT_FALSE(parse_url("http://" + std::string(64, 'x') + ".b/"));
  std::string labels;
  for (int i = 0; i < 130; ++i) labels += "a.";
  EXPECT_FALSE(parse_url("http://" + labels + "b/"));
}

TEST(Url, TheLoopbackIsKnownByWhatItIsNotByHowItBegins) {
  for (const char* text :
       {"http://localhost/", "http://127.0.0.1:1/", "http://127.9.9.9/", "http://[::1]/"})
    EXPECT_TRUE(is_loopback(parse_url(text).value())) << text;
  for (const char* text :
       {"http://127.example.com/", "http://localhost.example.com/", "http://10.0.0.1/"})
    EXPECT_FALSE(is_loopback(parse_url(text).value())) << text;
}

}  // namespace
}  // namespace carrel::net
