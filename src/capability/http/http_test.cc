#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "capability/http/grant.h"
#include "capability/http/message.h"

namespace carrel::capability::http {
namespace {

using testing::ElementsAre;
using testing::Pair;

const std::vector<turn::HttpGrant> kGrants = {
    {.methods = {}, .scheme = "https", .host = "rates.example.com", .port = 443},
    {.methods = {"GET", "POST"}, .scheme = "https", .host = "*.example.org", .port = 8443},
    {.methods = {}, .scheme = "http", .host = "*.1", .port = 80}};

bool may(std::string_view method, std::string_view url) {
  return permits(kGrants, method, net::parse_url(url).value());
}

TEST(HttpGrants, NameSchemesHostsPortsAndMethods) {
  EXPECT_TRUE(may("GET", "https://rates.example.com/x"));
  EXPECT_TRUE(may("DELETE", "https://RATES.example.com:443/"));
  EXPECT_FALSE(may("GET", "http://rates.example.com/"));
  EXPECT_FALSE(may("GET", "https://rates.example.com:8443/"));
  EXPECT_FALSE(may("GET", "https://x.rates.example.com/"));
  EXPECT_FALSE(may("TRACE", "https://rates.example.com/"));
  EXPECT_TRUE(may("POST", "https://a.b.example.org:8443/"));
  EXPECT_FALSE(may("PUT", "https://a.example.org:8443/"));
  EXPECT_FALSE(may("get", "https://a.example.org:8443/"));
}

TEST(HttpGrants, AStarStandsForNamesBelow) {
  EXPECT_FALSE(may("GET", "https://example.org:8443/"));
  EXPECT_FALSE(may("GET", "https://evilexample.org:8443/"));
  EXPECT_FALSE(may("GET", "https://example.org.evil.com:8443/"));
  EXPECT_FALSE(may("GET", "http://127.0.0.1/"));
  EXPECT_FALSE(permits({}, "GET", net::parse_url("http://a.b/").value()));
}

TEST(HttpMessage, IsARequestWithAWholeUrl) {
  const auto request =
      read_request("POST https://a.b:8443/c?d HTTP/1.1\r\nX:  y \nEmpty:\r\n\r\nbody\n\n").value();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url.text(), "https://a.b:8443/c?d");
  EXPECT_THAT(request.headers, ElementsAre(Pair("X", "y"), Pair("Empty", "")));
  EXPECT_EQ(request.body, "body\n\n");
  EXPECT_EQ(read_request("GET http://a.b\n\n")->url.text(), "http://a.b/");
}

TEST(HttpMessage, SaysWhatIsWrong) {
  for (const auto* message :
       {"", "GET", "GET http://a.b", "GET http://a.b\n", "GET http://a.b\nA: b\n", "GET\n\n",
        "GET /path\n\n", "GET http://a.b HTTP/2\n\n", "GET http://a.b HTTP/1.1 x\n\n",
        "GET  http://a.b\n\n", "GET http://u@a.b\n\n", "GET http://a.b\nno colon\n\n"}) {
    const auto request = read_request(message);
    ASSERT_FALSE(request) << message;
    EXPECT_EQ(request.error().code(), Code::invalid_argument) << message;
  }
  std::string many = "GET http://a.b\n";
  for (int i = 0; i < 300; ++i) many += "A: b\n";
  EXPECT_FALSE(read_request(many + "\n"));
}

}  // namespace
}  // namespace carrel::capability::http
