#include "app/hooks.h"

#include <gmock/gmock.h>

#include "app/manifest.h"
#include "app/test_folder.h"

namespace carrel::app {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// An app with a module that may write, and a schema.
struct Fixture {
  TestFolder folder;
  Fixture() {
    folder.write("a.wasm", "x");
    folder.write("in.json", R"({"type": "object"})");
    folder.write("out.json", R"({"required": ["discount"]})");
    folder.write("bad.json", R"({"type": "strang"})");
  }
  Result<Manifest> read(std::string_view rest) {
    std::string text =
        "[app]\nname = \"shop\"\n[module.a]\nsource = \"a.wasm\"\n[module.w]\nsource = "
        "\"a.wasm\"\ngrants = { kv = [\"carts:rw\"] }\n";
    return parse_manifest(text + std::string(rest), folder.path() / "carrel.toml");
  }
  std::string error(std::string_view rest) {
    const auto manifest = read(rest);
    return manifest ? "no error" : manifest.error().message();
  }
};

constexpr std::string_view kPoint = "[[hook]]\npoint = \"cart.discounts\"\ncombine = \"all\"\n";

std::string with(std::string_view rest) { return std::string(kPoint) + std::string(rest); }

TEST(Hooks, CombinesHaveNames) {
  for (const char* name : {"first", "all", "chain", "merge", "any-deny"}) {
    ASSERT_TRUE(parse_combine(name));
    EXPECT_EQ(combine_name(*parse_combine(name)), name);
  }
  EXPECT_FALSE(parse_combine("last"));
}

TEST(Hooks, PointsHaveNamesWithDots) {
  for (const char* name : {"a", "cart.discounts", "a-b_c.d9"}) EXPECT_TRUE(is_point_name(name));
  for (const char* name : {"", ".", "a.", ".a", "A", "a/b", "a:b", "a b"})
    EXPECT_FALSE(is_point_name(name)) << name;
  EXPECT_FALSE(is_point_name(std::string(65, 'a')));
}

TEST(Hooks, AreReadWhole) {
  Fixture f;
  const auto manifest = f.read(with(R"(
deadline = "200ms"
on_failure = "default"
default = '{"discount": 0}'
input = "in.json"
output = "out.json"
grants = { kv = ["carts:rw"] }
[[hook.bind]]
module = "w"
order = 5
tenant = "merchant-17"
[[hook.bind]]
module = "a"
name = "first-one"
config = { RATE = "5" }
)"));
  ASSERT_TRUE(manifest) << manifest.error().message();
  ASSERT_EQ(manifest->hooks.size(), 1U);
  const HookPoint& point = manifest->hooks[0];
  EXPECT_EQ(point.name, "cart.discounts");
  EXPECT_EQ(point.combine, Combine::all);
  EXPECT_EQ(point.deadline, Nanos(200ms));
  EXPECT_EQ(point.on_failure, OnFailure::use_default);
  EXPECT_EQ(point.default_answer, R"({"discount": 0})");
  EXPECT_NE(point.input, nullptr);
  EXPECT_FALSE(point.output->check("{}").empty());
  ASSERT_EQ(point.bindings.size(), 2U);
  EXPECT_EQ(point.bindings[0].name, "first-one");  // by `order`
  EXPECT_EQ(point.bindings[0].config, (Pairs{{"RATE", "5"}}));
  EXPECT_EQ(point.bindings[1].name, "w");
  EXPECT_EQ(point.bindings[1].tenant, "merchant-17");
}

TEST(Hooks, MustSayHowTheyCombine) {
  Fixture f;
  EXPECT_THAT(f.error("[[hook]]\npoint = \"a\"\n"), HasSubstr("needs `combine`"));
  EXPECT_THAT(f.error("[[hook]]\npoint = \"a\"\ncombine = \"any_deny\"\n"), HasSubstr("any-deny"));
  EXPECT_THAT(f.error("[[hook]]\ncombine = \"all\"\n"), HasSubstr("point"));
  EXPECT_THAT(f.error("[[hook]]\npoint = \"A b\"\ncombine = \"all\"\n"),
              HasSubstr("no name of a point"));
  EXPECT_THAT(f.error(with(kPoint)), HasSubstr("there twice"));
  EXPECT_THAT(f.error(with("html = [\"html\"]\n")), HasSubstr("JSON pointer"));
  EXPECT_EQ(f.read(with("html = [\"\", \"/a/*/b\"]\n"))->hooks[0].html.size(), 2U);
  EXPECT_THAT(f.error(with("dedline = \"1s\"\n")), HasSubstr("deadline"));
}

TEST(Hooks, SchemasAreCompiledAtOnce) {
  Fixture f;
  EXPECT_THAT(f.error(with("input = \"bad.json\"\n")), HasSubstr("no JSON Schema"));
  EXPECT_THAT(f.error(with("output = \"none.json\"\n")), HasSubstr("none.json"));
  EXPECT_THAT(f.error(with("input = \"../in.json\"\n")), HasSubstr("outside"));
}

TEST(Hooks, ADefaultIsAnAnswerOfThePoint) {
  Fixture f;
  EXPECT_THAT(f.error(with("default = '1'\n")), HasSubstr("with on_failure"));
  EXPECT_THAT(f.error(with("on_failure = \"default\"\n")), HasSubstr("needs the answer"));
  EXPECT_THAT(f.error(with("on_failure = \"default\"\ndefault = '{'\n")), HasSubstr("not JSON"));
  EXPECT_THAT(f.error(with("on_failure = \"default\"\noutput = \"out.json\"\ndefault = '{}'\n")),
              HasSubstr("discount"));
  EXPECT_THAT(
      f.error(
          "[[hook]]\npoint = \"a\"\ncombine = \"chain\"\non_failure = \"default\"\ndefault = '1'\n"),
      HasSubstr("skip"));
}

TEST(Hooks, ModulesOfOtherTenantsKeepToThePointsGrants) {
  Fixture f;
  EXPECT_EQ(f.error(with("[[hook.bind]]\nmodule = \"w\"\n")), "no error");  // the app's own
  EXPECT_THAT(f.error(with("[[hook.bind]]\nmodule = \"w\"\ntenant = \"m\"\n")),
              HasSubstr("grants"));
  EXPECT_THAT(
      f.error(
          with("grants = { kv = [\"carts:r\"] }\n[[hook.bind]]\nmodule = \"w\"\ntenant = \"m\"\n")),
      HasSubstr("grants"));
  EXPECT_THAT(f.error(with("[[hook.bind]]\nmodule = \"a\"\ntenant = \"../x\"\n")),
              HasSubstr("tenant"));
}

TEST(Hooks, BindingsNameModulesAndAreUnique) {
  Fixture f;
  EXPECT_THAT(f.error(with("[[hook.bind]]\nmodule = \"b\"\n")), HasSubstr("no module"));
  EXPECT_THAT(f.error(with("[[hook.bind]]\nmodule = \"a\"\n[[hook.bind]]\nmodule = \"a\"\n")),
              HasSubstr("bound to the point already"));
  std::string many;
  for (int i = 0; i < 101; ++i)
    many += "[[hook.bind]]\nmodule = \"a\"\nname = \"n" + std::to_string(i) + "\"\n";
  EXPECT_THAT(f.error(with(many)), HasSubstr("at most 100"));
}

}  // namespace
}  // namespace carrel::app
