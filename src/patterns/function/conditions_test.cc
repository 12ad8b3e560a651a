#include "patterns/function/conditions.h"

#include <gtest/gtest.h>

#include "patterns/function/content_types.h"

namespace carrel::function {
namespace {

using Kind = RangeAnswer::Kind;

TEST(IfNoneMatch, NamesNothingWhenMalformed) {
  for (const auto* header : {"", "a", "\"a", "a\"", "W/", "W/a", "\"b\" \"a\"", ",", "\"b\",a"}) {
    EXPECT_FALSE(none_match_names(header, "\"a\"")) << header;
  }
}

TEST(IfNoneMatch, FindsTheTagInAListByWeakComparison) {
  for (const auto* header :
       {"*", " * ", "\"a\"", "W/\"a\"", "\"b\", \"a\"", "\"b\",W/\"a\" ", "\"x,y\" , ,\"a\""}) {
    EXPECT_TRUE(none_match_names(header, "\"a\"")) << header;
  }
  EXPECT_TRUE(none_match_names("\"a\"", "W/\"a\""));
  EXPECT_FALSE(none_match_names("\"b\", \"aa\"", "\"a\""));
}

TEST(Range, MeansTheWholeWhenMalformedOrMany) {
  for (const auto* header :
       {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=1", "items=0-1",
        "bytes=0-1,3-4", "bytes=+1-2", "bytes=1--2", "bytes=0x1-2"}) {
    EXPECT_EQ(range_of(header, 10).kind, Kind::whole) << header;
  }
}

TEST(Range, IsUnsatisfiableBeyondTheEnd) {
  EXPECT_EQ(range_of("bytes=10-", 10).kind, Kind::unsatisfiable);
  EXPECT_EQ(range_of("bytes=99999999999999999999-", 10).kind, Kind::unsatisfiable);
  EXPECT_EQ(range_of("bytes=-0", 10).kind, Kind::unsatisfiable);
  EXPECT_EQ(range_of("bytes=0-", 0).kind, Kind::unsatisfiable);
  EXPECT_EQ(range_of("bytes=-1", 0).kind, Kind::unsatisfiable);
}

TEST(Range, IsCutAtTheEnd) {
  const auto expect = [](const char* header, std::uint64_t first, std::uint64_t length) {
    const RangeAnswer answer = range_of(header, 10);
    EXPECT_EQ(answer.kind, Kind::part) << header;
    EXPECT_EQ(answer.range.first, first) << header;
    EXPECT_EQ(answer.range.length, length) << header;
  };
  expect("bytes=0-0", 0, 1);
  expect("bytes=2-5", 2, 4);
  expect("bytes=5-", 5, 5);
  expect("bytes=5-99999999999999999999", 5, 5);
  expect("bytes=-3", 7, 3);
  expect("bytes=-99", 0, 10);
}

TEST(ContentType, GoesByTheLastEndOfTheName) {
  EXPECT_EQ(content_type("a/b.HTML"), "text/html; charset=utf-8");
  EXPECT_EQ(content_type("a.tar.gz"), "application/gzip");
  EXPECT_EQ(content_type("m.wasm"), "application/wasm");
  for (const auto* path : {"", "html", "a.html/b", "a.", "a.unknown", "a.webmanifestx"}) {
    EXPECT_EQ(content_type(path), "application/octet-stream") << path;
  }
}

}  // namespace
}  // namespace carrel::function
