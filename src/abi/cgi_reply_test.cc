#include "abi/cgi_reply.h"

#include <gtest/gtest.h>

namespace carrel::abi {
namespace {

std::string header(const net::ReplyHead& head, std::string_view name) {
  for (const auto& [key, value] : head.headers) {
    if (key == name) return value;
  }
  return "(none)";
}

TEST(CgiReply, NeedsATypeAStatusOrALocation) {
  EXPECT_EQ(parse_head("X-A: 1").error().code(), Code::guest_bad_reply);
  EXPECT_EQ(parse_head("").error().code(), Code::guest_bad_reply);
  EXPECT_TRUE(parse_head("Content-Type: text/plain").has_value());
  EXPECT_TRUE(parse_head("Status: 204").has_value());
}

TEST(CgiReply, RefusesWhatWouldSplitTheResponse) {
  for (const char* head : {"X Bad: 1", ": empty", "no colon", "X-A: a\x01z", "X-\xc3\xa4: 1"}) {
    EXPECT_FALSE(parse_head(std::string("Content-Type: text/plain\n") + head).has_value()) << head;
  }
  auto joined = parse_head("Content-Type: text/plain\nX-Split: a\rSet-Cookie: b");
  ASSERT_TRUE(joined.has_value());
  EXPECT_EQ(header(*joined, "set-cookie"), "(none)");
  EXPECT_EQ(header(*joined, "x-split"), "aSet-Cookie: b");
}

TEST(CgiReply, RefusesAStatusThatIsNone) {
  for (const char* status : {"", "abc", "99", "600", "200x", "-1", "100", "99999999999"}) {
    EXPECT_FALSE(parse_head(std::string("Status: ") + status).has_value()) << status;
  }
  EXPECT_EQ(parse_head("Status: 404 Not here")->status, 404);
}

TEST(CgiReply, RedirectsOnALocationUnlessTheStatusSaysOtherwise) {
  EXPECT_EQ(parse_head("Location: /x")->status, 302);
  EXPECT_EQ(parse_head("Location: /x\nStatus: 301")->status, 301);
  EXPECT_EQ(parse_head("Status: 301\nLocation: /x")->status, 301);
}

TEST(CgiReply, DropsFramingFieldsAndCollapsesDuplicates) {
  auto head = parse_head(
      "Content-Type: a/b\nTransfer-Encoding: chunked\nContent-Length: 3\nX-A: 1\nx-a:  2 \n"
      "Set-Cookie: a\nSet-Cookie: b");
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->headers.size(), 4u);
  EXPECT_EQ(header(*head, "x-a"), "2");
  EXPECT_EQ(header(*head, "content-length"), "(none)");
}

TEST(CgiReply, RefusesAFloodOfHeaders) {
  std::string head = "Content-Type: text/plain\n";
  for (int i = 0; i < 1000; ++i) head += "X-" + std::to_string(i) + ": v\n";
  EXPECT_FALSE(parse_head(head).has_value());
  std::string again = "Content-Type: text/plain\n";
  for (int i = 0; i < 1000; ++i) again += "X-A: v\n";
  EXPECT_FALSE(parse_head(again).has_value());
}

TEST(CgiReply, FindsTheEndHoweverTheOutputArrives) {
  const std::string output = "Content-Type: text/plain\r\n\r\nbody\n\nmore";
  for (std::size_t cut = 0; cut < output.size(); ++cut) {
    auto first = find_head_end(std::string_view(output).substr(0, cut), 0);
    auto end = first ? first : find_head_end(output, cut);
    ASSERT_TRUE(end.has_value()) << cut;
    EXPECT_EQ(output.substr(end->body), "body\n\nmore") << cut;
  }
  EXPECT_FALSE(find_head_end("a: b\nc: d\n", 0).has_value());
}

}  // namespace
}  // namespace carrel::abi
