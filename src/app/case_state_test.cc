#include "app/case_state.h"

#include <gmock/gmock.h>

#include "app/case.h"
#include "app/test_folder.h"

namespace carrel::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Fixture {
  TestFolder folder;
  Manifest app;
  Fixture() { app.modules.push_back({.name = ModuleName("price")}); }
  Result<Case> read(std::string_view state) {
    return parse_case(
        "[case]\n[event]\npath = \"/\"\n[expect]\nstatus = 200\n" + std::string(state),
        folder.path() / "case.toml", &app);
  }
  std::string error(std::string_view state) {
    auto parsed = read(state);
    return parsed ? "no error" : parsed.error().message();
  }
};

TEST(CaseState, IsReadWhole) {
  Fixture f;
  f.folder.write("in.bin", std::string_view("a\0b", 3));
  const auto parsed = f.read(
      "[state.kv]\n"
      "\"carts/ada/1\" = \"2 mugs\"\n"
      "\"carts/bin\" = { base64 = \"AAEC/w==\" }\n"
      "\"carts/file\" = { file = \"in.bin\", expires = \"2026-01-02T03:04:05Z\" }\n"
      "\"carts/none\" = { text = \"\" }\n"
      "[state]\n"
      "counters = { \"stock/mug\" = -3 }\n"
      "secrets = { KEY = \"k\" }\n"
      "blobs = { \"images/in\" = { file = \"in.bin\" }, \"images/x\" = { text = \"abc\", size = 7 } }\n"
      "[effects]\n"
      "kv = { \"carts/ada/1\" = \"3 mugs\" }\n"
      "absent = [\"carts/bin\"]\n"
      "counters = { \"stock/mug\" = 0 }\n"
      "blobs = { \"images/x\" = \"abc\" }\n"
      "absent_blobs = [\"images/in\"]\n");
  ASSERT_TRUE(parsed) << parsed.error().message();
  const auto& values = parsed->state.values;
  ASSERT_EQ(values.size(), 4u);
  EXPECT_EQ(values[0].name, (StateName{"carts", "ada/1"}));
  EXPECT_EQ(values[0].bytes, "2 mugs");
  EXPECT_EQ(values[1].bytes, std::string("\0\1\2\xff", 4));
  EXPECT_EQ(values[2].bytes, std::string("a\0b", 3));
  EXPECT_EQ(values[2].expires, parse_time("2026-01-02T03:04:05Z"));
  EXPECT_EQ(values[3].bytes, "");
  ASSERT_EQ(parsed->state.counters.size(), 1u);
  EXPECT_EQ(parsed->state.counters[0].count, -3);
  EXPECT_EQ(parsed->state.secrets, (Pairs{{"KEY", "k"}}));
  ASSERT_EQ(parsed->effects.values.size(), 1u);
  EXPECT_THAT(parsed->effects.absent, ElementsAre(StateName{"carts", "bin"}));
  EXPECT_EQ(text_of(parsed->effects.counters[0].name), "stock/mug");
  ASSERT_EQ(parsed->state.blobs.size(), 2u);
  EXPECT_EQ(parsed->state.blobs[0].bytes, std::string("a\0b", 3));
  EXPECT_EQ(parsed->state.blobs[1].name, (StateName{"images", "x"}));
  EXPECT_EQ(parsed->state.blobs[1].bytes, "abcabca");
  ASSERT_EQ(parsed->effects.blobs.size(), 1u);
  EXPECT_THAT(parsed->effects.absent_blobs, ElementsAre(StateName{"images", "in"}));
}

TEST(CaseState, MayBeLeftOut) {
  Fixture f;
  const auto parsed = f.read("");
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->state.empty());
  EXPECT_TRUE(parsed->effects.empty());
}

TEST(CaseState, NamesTheNearestOfWhatItDoesNotKnow) {
  Fixture f;
  EXPECT_THAT(f.error("[state]\ncounter = {}"), HasSubstr("did you mean \"counters\"?"));
  EXPECT_THAT(f.error("[effects]\nabsnet = [\"a/b\"]"), HasSubstr("did you mean \"absent\"?"));
  EXPECT_THAT(f.error("[state]\nkv = { \"a/b\" = { base46 = \"\" } }"),
              HasSubstr("did you mean \"base64\"?"));
  EXPECT_THAT(f.error("[effects]\nsecrets = { A = \"b\" }"), HasSubstr("unknown key \"secrets\""));
}

TEST(CaseState, RefusesNamesThatAreNone) {
  Fixture f;
  for (const auto* name : {"carts", "/ada", "carts/", ""}) {
    const std::string entry = "\"" + std::string(name) + "\"";
    EXPECT_NE(f.error("[state]\nkv = { " + entry + " = \"\" }"), "no error") << name;
    EXPECT_NE(f.error("[state]\ncounters = { " + entry + " = 1 }"), "no error") << name;
    EXPECT_NE(f.error("[effects]\nabsent = [" + entry + "]"), "no error") << name;
  }
  EXPECT_NE(f.error("[state]\nkv = { \"" + std::string(65, 's') + "/a\" = \"\" }"), "no error");
  EXPECT_NE(f.error("[state]\nkv = { \"s/" + std::string(1025, 'k') + "\" = \"\" }"), "no error");
}

TEST(CaseState, RefusesValuesThatAreNone) {
  Fixture f;
  const auto value = [&](std::string_view text) {
    return f.error("[state]\nkv = { \"a/b\" = " + std::string(text) + " }");
  };
  EXPECT_THAT(value("7"), HasSubstr("must be a text or { text, base64 or file"));
  EXPECT_THAT(value("{}"), HasSubstr("needs one of"));
  EXPECT_THAT(value("{ text = \"\", base64 = \"\" }"), HasSubstr("needs one of"));
  EXPECT_THAT(value("{ file = \"none\" }"), HasSubstr("none"));
  EXPECT_THAT(value("{ text = \"\", expires = \"soon\" }"), HasSubstr("is no time"));
  for (const auto* text : {"A", "AB=", "A===", "AA==AA==", "A-B_", "AB==", "AAF="}) {
    EXPECT_THAT(value("{ base64 = \"" + std::string(text) + "\" }"), HasSubstr("is not base64"))
        << text;
  }
  f.folder.write("big", std::string((1 << 20) + 1, 'x'));
  EXPECT_NE(value("{ file = \"big\" }"), "no error");
  EXPECT_EQ(f.error("[state]\nblobs = { \"a/b\" = { file = \"big\" } }"), "no error");
  EXPECT_NE(value("{ text = \"x\", size = 1048577 }"), "no error");
  EXPECT_NE(value("{ text = \"x\", size = -1 }"), "no error");
  EXPECT_THAT(value("{ text = \"\", size = 1 }"), HasSubstr("nothing to repeat"));
  EXPECT_NE(f.error("[state]\nblobs = { \"a/b\" = { text = \"x\", size = 67108865 } }"),
            "no error");
  EXPECT_THAT(f.error("[state]\nblobs = { \"a/b\" = { text = \"\", expires = "
                      "\"2026-01-02T03:04:05Z\" } }"),
              HasSubstr("cannot expire"));
  EXPECT_THAT(f.error("[state]\ncounters = { \"a/b\" = \"1\" }"), HasSubstr("a whole number"));
  EXPECT_THAT(f.error("[state]\nsecrets = { A = 1 }"), HasSubstr("must be a text"));
}

TEST(CaseState, RefusesEffectsThatCanNeverFailOrNeverHold) {
  Fixture f;
  EXPECT_THAT(f.error("[effects]"), HasSubstr("must expect something"));
  EXPECT_THAT(f.error("[effects]\nkv = { \"a/b\" = \"\" }\nabsent = [\"a/b\"]"),
              HasSubstr("in `kv` and in `absent`"));
  EXPECT_THAT(f.error("[effects]\nblobs = { \"a/b\" = \"\" }\nabsent_blobs = [\"a/b\"]"),
              HasSubstr("in `blobs` and in `absent_blobs`"));
}

TEST(CaseState, OfATurnThatLeavesNothingIsWhatWasThereBefore) {
  const CaseState before{.values = {{.name = {"a", "old"}, .bytes = "1"}},
                         .counters = {{{"c", "old"}, 5}},
                         .blobs = {{.name = {"a", "new"}, .bytes = "blob"}}};
  const CaseEffects effects{
      .values = {{.name = {"a", "old"}, .bytes = "2"}, {.name = {"a", "new"}, .bytes = "3"}},
      .counters = {{{"c", "old"}, 6}, {{"c", "new"}, 7}},
      .blobs = {{.name = {"a", "old"}, .bytes = "4"}},
      .absent_blobs = {{"a", "new"}}};
  const CaseEffects same = unchanged(effects, before);
  ASSERT_EQ(same.values.size(), 1u);
  EXPECT_EQ(same.values[0].bytes, "1");
  EXPECT_THAT(same.absent, ElementsAre(StateName{"a", "new"}));
  ASSERT_EQ(same.counters.size(), 2u);
  EXPECT_EQ(same.counters[0].count, 5);
  EXPECT_EQ(same.counters[1].count, 0);
  ASSERT_EQ(same.blobs.size(), 1u);
  EXPECT_EQ(same.blobs[0].bytes, "blob");
  EXPECT_THAT(same.absent_blobs, ElementsAre(StateName{"a", "old"}));
}

}  // namespace
}  // namespace carrel::app
