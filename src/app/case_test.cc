#include "app/case.h"

#include <gmock/gmock.h>

#include "app/test_folder.h"

namespace carrel::app {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Fixture {
  TestFolder folder;
  Manifest app;
  Fixture() {
    folder.write("x.wat", "(module)");
    app.modules.push_back({.name = ModuleName("price"), .config = {{"A", "1"}, {"B", "2"}}});
  }
  Result<Case> read(std::string_view text) {
    return parse_case(text, folder.path() / "case.toml", &app);
  }
  std::string error(std::string_view text) {
    auto parsed = read(text);
    return parsed ? "no error" : parsed.error().message();
  }
  std::string event(std::string_view rest) {
    return error("[case]\nmodule = \"price\"\n[expect]\nexit = 0\n[event]\n" + std::string(rest));
  }
  std::string expect(std::string_view rest) {
    return error("[case]\nmodule = \"price\"\n[event]\npath = \"/\"\n[expect]\n" +
                 std::string(rest));
  }
};

TEST(Case, TimesHaveOneSpelling) {
  for (const auto* text :
       {"", "2026", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-1-2T3:4:5Z",
        "2026-02-30T00:00:00Z", "2026-01-02T03:04:05Zx", "1969-12-31T23:59:59Z",
        "2026-01-02T03:04:60Z", "99999-01-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
  const auto time = parse_time("2026-01-02T03:04:05Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(std::chrono::system_clock::to_time_t(*time), 1767323045);
  EXPECT_EQ(time_text(*time), "2026-01-02T03:04:05Z");
}

TEST(Case, FoldersHaveANameHoweverTheyAreWritten) {
  const std::string here = std::filesystem::current_path().filename().native();
  EXPECT_EQ(folder_name("."), here);
  EXPECT_EQ(folder_name("./"), here);
  EXPECT_EQ(folder_name("some/shop"), "shop");
  EXPECT_EQ(folder_name("some/shop/"), "shop");
  EXPECT_EQ(folder_name("some/shop/tests/.."), "shop");
}

TEST(Case, IsMissing) {
  Fixture f;
  EXPECT_EQ(load_case(f.folder.path() / "none", nullptr).error().code(), Code::not_found);
}

TEST(Case, NeedsAllItsParts) {
  Fixture f;
  EXPECT_THAT(f.error(""), AllOf(HasSubstr("needs [case]"), HasSubstr("needs [event]"),
                                 HasSubstr("needs [expect]")));
  f.app.modules.clear();
  EXPECT_THAT(f.error("[case]\nmodul = \"a\"\n[stat]\n"),
              AllOf(HasSubstr("[case] needs `module"), HasSubstr("did you mean \"module\"?"),
                    HasSubstr("did you mean \"state\"?")));
}

TEST(Case, NamesAModuleThatThereIs) {
  Fixture f;
  EXPECT_THAT(f.error("[case]\nmodule = \"prize\""), HasSubstr("did you mean \"price\"?"));
  EXPECT_THAT(f.error("[case]\nmodule = \"y.wasm\""), HasSubstr("there is no file"));
  EXPECT_THAT(parse_case("[case]\nmodule = \"price\"", "case.toml", nullptr).error().message(),
              HasSubstr("there is no carrel.toml here"));
}

TEST(Case, RefusesEventsThatAreNone) {
  Fixture f;
  EXPECT_THAT(f.event(""), HasSubstr("[event] needs `path"));
  EXPECT_THAT(f.event("method = \"GET\""), HasSubstr("[event] needs `path"));
  EXPECT_THAT(f.event("path = \"/\"\ntype = \"x\""), HasSubstr("not both"));
  EXPECT_THAT(f.event("path = \"x\""), HasSubstr("must begin with '/'"));
  EXPECT_THAT(f.event("path = \"/a b\""), HasSubstr("percent-encoded"));
  EXPECT_THAT(f.event("path = \"/\"\nmethod = \"G T\""), HasSubstr("is no method"));
  EXPECT_THAT(f.event("path = \"/\"\nheaders = { a = \"b\\r\\nc: d\" }"),
              HasSubstr("no header of one line"));
  EXPECT_THAT(f.event("path = \"/\"\nbody = \"a\"\nbody_file = \"x.wat\""),
              HasSubstr("both `body` and `body_file`"));
  EXPECT_THAT(f.event("path = \"/\"\nbody_file = \"none\""), HasSubstr("is no file"));
  EXPECT_THAT(f.event("path = \"/\"\nbody_file = \".\""), HasSubstr("is no file"));
  EXPECT_THAT(f.event("type = \"x\"\nattributes = { \"A-B\" = \"x\" }"),
              HasSubstr("must be a-z and 0-9"));
}

TEST(Case, RefusesExpectationsThatCanNeverFailOrNeverHold) {
  Fixture f;
  EXPECT_THAT(f.expect(""), HasSubstr("must expect something"));
  EXPECT_THAT(f.expect("status = 99"), HasSubstr("from 100 to 599"));
  EXPECT_THAT(f.expect("status = \"200\""), HasSubstr("must be a whole number"));
  EXPECT_THAT(f.expect("statsu = 200"), HasSubstr("did you mean \"status\"?"));
  EXPECT_THAT(f.expect("stdout = \"x\""), HasSubstr("use `body`"));
  EXPECT_THAT(f.expect("body_contains = [1]"), HasSubstr("list of texts"));
}

TEST(Case, OfARequestIsReadWhole) {
  Fixture f;
  f.folder.write("in.bin", std::string_view("a\0b", 3));
  const auto parsed = f.read(
      "[case]\ndescription = \"d\"\nmodule = \"price\"\nargv = \"x\"\nconfig = { B = \"3\" }\nenv = { C = \"4\" }\n"
      "limits = { memory = \"1MiB\" }\n"
      "[event]\nmethod = \"POST\"\npath = \"/a?b=c\"\nheaders = { X-Y = \"z\" }\nbody_file = \"in.bin\"\n"
      "[expect]\nstatus = 201\nheaders = { content-type = \"text/plain\" }\nbody_contains = \"x\"\n"
      "body_json = \"{}\"\nstderr_contains = [\"a\", \"b\"]\n");
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->name, f.folder.path().filename());
  EXPECT_EQ(parsed->module.name.str(), "price");
  EXPECT_EQ(parsed->module.config, (Pairs{{"A", "1"}, {"B", "3"}}));
  EXPECT_EQ(parsed->module.environment, (Pairs{{"C", "4"}}));
  EXPECT_EQ(parsed->module.limits.memory, 1u << 20);
  EXPECT_EQ(parsed->event.kind, CaseEvent::Kind::http);
  EXPECT_EQ(parsed->event.method, "POST");
  EXPECT_EQ(parsed->event.body, std::string("a\0b", 3));
  EXPECT_EQ(parsed->expect.status, 201);
  EXPECT_THAT(parsed->expect.body_contains, ElementsAre("x"));
  EXPECT_THAT(parsed->expect.stderr_contains, ElementsAre("a", "b"));
}

TEST(Case, OfAnotherEventNamesAFile) {
  Fixture f;
  const auto parsed = f.read(
      "[case]\nmodule = \"x.wat\"\n"
      "[event]\ntype = \"order.placed\"\nsource = \"/s\"\nsubject = \"7\"\nid = \"1\"\nattributes = { a = \"b\" }\n"
      "body = \"in\"\n[expect]\nexit = 3\nstdout = \"out\"\n");
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->module.source, f.folder.path() / "x.wat");
  EXPECT_EQ(parsed->event.kind, CaseEvent::Kind::other);
  EXPECT_EQ(parsed->event.type, "order.placed");
  EXPECT_EQ(parsed->event.attributes, (Pairs{{"a", "b"}}));
  EXPECT_EQ(parsed->expect.exit, 3);
  EXPECT_EQ(parsed->expect.stdout_text, "out");
}

int count_valid(const char* root, std::initializer_list<const char*> modules) {
  Manifest app;
  for (const auto* name : modules) app.modules.push_back({.name = ModuleName(name)});
  int count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().filename() != "case.toml") continue;
    const auto parsed = load_case(entry.path().parent_path(), &app);
    EXPECT_TRUE(parsed) << parsed.error().message();
    ++count;
  }
  return count;
}

TEST(Case, OfTheExamplesAndTemplatesIsValid) {
  EXPECT_GT(count_valid("examples/shop", {"home", "price", "search", "order", "chart", "cart",
                                          "stock", "exchange", "loop", "trap"}),
            10);
  EXPECT_GE(count_valid("templates", {"hello"}), 2);
}

TEST(Case, NeedNotNameTheOnlyModule) {
  Fixture f;
  constexpr std::string_view kText = "[case]\n[event]\npath = \"/\"\n[expect]\nstatus = 200\n";
  EXPECT_EQ(f.read(kText)->module.name.str(), "price");
  f.app.modules.push_back({.name = ModuleName("other")});
  EXPECT_THAT(f.error(kText), HasSubstr("[case] needs `module"));
}

TEST(Case, ChangesOnlyTheLimitsThatItNames) {
  Fixture f;
  f.app.modules[0].limits.open_files = 9;
  const auto parsed = f.read(
      "[case]\nmodule = \"price\"\nlimits = { memory = \"1MiB\" }\n[event]\npath = \"/\"\n"
      "[expect]\nstatus = 200\n");
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->module.limits.memory, 1u << 20);
  EXPECT_EQ(parsed->module.limits.open_files, 9u);
}

}  // namespace
}  // namespace carrel::app
