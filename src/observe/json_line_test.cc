#include "observe/json_line.h"

#include <gtest/gtest.h>

namespace carrel::observe {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonLine, EscapesWhatWouldEndTheStringOrTheLine) {
  EXPECT_EQ(quoted("a\"b\\c\nd\re\tf"), R"("a\"b\\c\nd\re\tf")");
  EXPECT_EQ(quoted(std::string_view("\0\x1b\x7f", 3)), R"("\u0000\u001b\u007f")");
  EXPECT_EQ(quoted("\xC2\x9B\xC2\xA0"), "\"\\u009b\xC2\xA0\"");  // steers terminals, and does not
}

TEST(JsonLine, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(quoted("caf\xC3\xA9"), "\"caf\xC3\xA9\"");
  EXPECT_EQ(quoted("\xC3"), "\"\xEF\xBF\xBD\"");                                  // cut short
  EXPECT_EQ(quoted("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                  // overlong
  EXPECT_EQ(quoted("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // surrogate
  EXPECT_EQ(quoted("\xF4\x90\x80\x80").size(), 2U + 4 * 3);                       // past U+10FFFF
}

TEST(JsonLine, ShortensWithoutCuttingACharacter) {
  EXPECT_EQ(shorten("abc", 3), "abc");
  EXPECT_EQ(shorten("ab\xC3\xA9", 3), "ab");
  EXPECT_EQ(shorten("\x80\x80\x80\x80\x80\x80", 5).size(), 5U);
}

TEST(JsonLine, MakesWhatSteersATerminalVisible) {
  EXPECT_EQ(printable("\x1b[2Jhi\tthere"), "\\x1b[2Jhi\tthere");
  EXPECT_EQ(printable("\xC2\x9B"), "\\xc2\\x9b");
  EXPECT_EQ(printable("\xFF\xC3\xA9"), "\\xff\xC3\xA9");
}

TEST(JsonLine, BuildsOneObject) {
  const std::string line = JsonLine()
                               .add("a", "x")
                               .add("n", std::uint64_t{7})
                               .add_id("id", 0xA1)
                               .add_time("t", 1'000'001'000)
                               .finish();
  EXPECT_EQ(line, R"({"a":"x","n":7,"id":"00000000000000a1","t":"1970-01-01T00:00:01.000001Z"})");
}

}  // namespace
}  // namespace carrel::observe
