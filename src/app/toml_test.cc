#include "app/toml.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "app/table_reader.h"
#include "app/test_folder.h"

namespace carrel::app {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string error_of(std::string_view text) {
  auto parsed = parse_toml(text, "x.toml");
  if (parsed) return "no error";
  EXPECT_EQ(parsed.error().code(), Code::invalid_config);
  return parsed.error().message();
}

std::string times(std::size_t count, std::string_view text) {
  std::string out;
  while (count-- > 0) out += text;
  return out;
}

TEST(Toml, SaysWhereASyntaxErrorIs) {
  EXPECT_THAT(error_of("[app]\nname = \n"), StartsWith("x.toml:2:"));
  EXPECT_THAT(error_of("a = 1\na = 2\n"), StartsWith("x.toml:2:"));
  EXPECT_THAT(error_of("a = \"no end\nb = 1"), StartsWith("x.toml:1:"));
  EXPECT_THAT(error_of("[,a]"), StartsWith("x.toml:1:"));
  EXPECT_THAT(error_of("a = {\u0171 = 1}"), StartsWith("x.toml:1:"));
}

TEST(Toml, RefusesWhatIsNotUtf8) {
  EXPECT_THAT(error_of("a = \"\xFF\xFE\""), StartsWith("x.toml:1:"));
  EXPECT_NE(error_of(std::string_view("a = \"\0\"", 7)), "no error");
}

TEST(Toml, RefusesALargeFile) {
  EXPECT_THAT(error_of(std::string(10 << 20, '#')), HasSubstr("larger than 1 MiB"));
}

TEST(Toml, RefusesDeepNestingOfEveryKind) {
  EXPECT_NE(error_of("a = " + times(100'000, "[")), "no error");
  EXPECT_NE(error_of("a = " + times(400, "[") + times(400, "]")), "no error");
  EXPECT_NE(error_of("a = " + times(100'000, "{a=")), "no error");
  EXPECT_THAT(error_of("# x\n[a" + times(100'000, ".a") + "]"),
              StartsWith("x.toml:2:1: a key has more"));
  EXPECT_THAT(error_of("a" + times(100'000, " . a") + " = 1"), HasSubstr("a key has more"));
  EXPECT_THAT(error_of("'a'" + times(100'000, ".'a'") + " = 1"), HasSubstr("a key has more"));
  EXPECT_THAT(error_of("x = '''\n'''\n\"\\\"\"" + times(100'000, ".\"a\"") + " = 1"),
              StartsWith("x.toml:3:1: a key has more"));
}

TEST(Toml, DoesNotMistakeDotsInTextsForKeys) {
  const auto dots = times(50, ".a");
  for (const auto& text :
       {"a = \"" + dots + "\"", "a = '" + dots + "'", "a = \"\"\"\n" + dots + "\"\"\"\"\nb = 1",
        "a = '''" + dots + "'''", "# " + dots, "a = \"\\\"" + dots + "\"",
        "a = [" + times(50, "1.5,") + "]"}) {
    EXPECT_EQ(error_of(text), "no error") << text;
  }
}

TEST(Toml, DoesNotReadWhatIsNotAFile) {
  const TestFolder folder;
  EXPECT_EQ(read_small_file(folder.path() / "none").error().code(), Code::not_found);
  EXPECT_EQ(read_small_file(folder.path()).error().code(), Code::invalid_config);
  ASSERT_EQ(::mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(read_small_file(folder.path() / "pipe").error().code(), Code::invalid_config);
  EXPECT_EQ(read_small_file(folder.write("big", std::string(10 << 20, 'x'))).error().code(),
            Code::invalid_config);
  EXPECT_EQ(read_small_file(folder.write("small", "x")).value(), "x");
}

struct Parsed {
  explicit Parsed(std::string_view text) : root(*parse_toml(text, "x.toml")) {}
  TomlValue root;
  Problems problems{"x.toml"};
  TableReader table{root, "[x]", problems};
  std::string message() { return problems.empty() ? "" : problems.error().message(); }
};

TEST(TableReader, NamesTheNearestKey) {
  Parsed p("limit = 1\n\nnothing-like-it = 2");
  p.table.text("limits");
  p.table.text("source");
  p.table.finish();
  EXPECT_EQ(p.message(),
            "x.toml:1:1: unknown key \"limit\" in [x]; did you mean \"limits\"?\n"
            "x.toml:3:1: unknown key \"nothing-like-it\" in [x]; known: limits, source");
}

TEST(TableReader, SaysWhatItExpectedAndWhatItFound) {
  Parsed p(
      "a = 1\nb = [1]\nc = {}\nd = \"x\"\ne = 1.5\nf = [1, \"x\"]\ng = \"1 MiB\"\nh = \"9h\"\ni = 900");
  EXPECT_FALSE(p.table.text("a"));
  EXPECT_FALSE(p.table.boolean("b"));
  EXPECT_FALSE(p.table.integer("c", {0, 9}));
  EXPECT_EQ(p.table.table("d"), nullptr);
  EXPECT_TRUE(p.table.tables("e").empty());
  EXPECT_EQ(p.table.texts("f"), std::vector<std::string>{"x"});
  EXPECT_FALSE(p.table.size("g", {0, 9}));
  EXPECT_FALSE(p.table.duration("h", {Nanos(0), std::chrono::hours(1)}));
  EXPECT_FALSE(p.table.integer("i", {0, 9}));
  EXPECT_FALSE(p.table.required_text("j"));
  EXPECT_EQ(
      p.message(),
      "x.toml:1:1: [x] needs `j = \"...\"`\n"
      "x.toml:1:5: `a` in [x] must be a text in quotes, not a whole number\n"
      "x.toml:2:5: `b` in [x] must be true or false, not a list\n"
      "x.toml:3:5: `c` in [x] must be a whole number, not a table\n"
      "x.toml:4:5: `d` in [x] must be a table, not a text\n"
      "x.toml:5:5: `e` in [x] must be a list of tables, written [[e]], not a fraction\n"
      "x.toml:6:6: `f` in [x] must be a text or a list of texts, not a whole number\n"
      "x.toml:7:5: `g` in [x] must be a size such as \"64MiB\" (B, KiB, MiB or GiB), not \"1 MiB\"\n"
      "x.toml:8:5: `h` in [x] must be from 0us to 1h, not \"9h\"\n"
      "x.toml:9:5: `i` in [x] must be from 0 to 9, not 900");
}

TEST(TableReader, RefusesNulInTextsButNotInBytes) {
  Parsed p("a = \"\\u0000\"");
  EXPECT_EQ(p.table.bytes("a", 10), std::string(1, '\0'));
  EXPECT_FALSE(p.table.text("a"));
  EXPECT_THAT(p.message(), HasSubstr("NUL"));
}

TEST(Problems, KeepTheFirstHundredAndCountTheRest) {
  Problems problems("x.toml");
  for (std::uint32_t i = 1; i <= 1000; ++i) problems.add({i, 1}, "bad");
  EXPECT_THAT(problems.error().message(),
              ::testing::EndsWith("x.toml:100:1: bad\nx.toml: 900 more problems"));
}

TEST(Problems, QuoteForeignTextWithoutControlCharactersAndCutShort) {
  EXPECT_EQ(in_quotes("a\x1B[31m\n"), "\"a\\x1b[31m\\x0a\"");
  EXPECT_EQ(in_quotes(std::string(79, 'a') + "\u20AC"), "\"" + std::string(79, 'a') + "...\"");
}

}  // namespace
}  // namespace carrel::app
