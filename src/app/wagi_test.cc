#include "app/wagi.h"

#include <gmock/gmock.h>

#include "app/test_folder.h"

namespace carrel::app {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Fixture {
  TestFolder folder;
  Fixture() { folder.write("build/Hello World.wasm", "x"); }
  Result<Manifest> read(std::string_view text) {
    return parse_wagi(text, folder.path() / "modules.toml");
  }
  std::string error(std::string_view text) {
    auto manifest = read(text);
    return manifest ? "no error" : manifest.error().message();
  }
};

TEST(Wagi, RefusesWhatIsNoModuleMap) {
  Fixture f;
  EXPECT_EQ(load_wagi(f.folder.path() / "none.toml").error().code(), Code::not_found);
  EXPECT_THAT(f.error(""), HasSubstr("at least one [[module]]"));
  EXPECT_THAT(f.error("[module]\nroute = \"/\""), HasSubstr("written [[module]]"));
  EXPECT_THAT(f.error("[[modul]]"), HasSubstr("did you mean \"module\"?"));
}

TEST(Wagi, ReportsEveryProblemAtOnce) {
  Fixture f;
  EXPECT_THAT(
      f.error(
          "[[module]]\nroute = \"x\"\nmodule = \"none.wasm\"\nvolume = {}\n"
          "[[module]]\nroute = \"/y\"\nmodule = \"bindle:a/b/1\"\nvolumes = { \"/a\" = \"none\" }\n"),
      AllOf(
          HasSubstr("modules.toml:2:9: the path \"x\" must begin"),
          HasSubstr("modules.toml:3:10: there is no file"),
          HasSubstr(
              "modules.toml:4:1: unknown key \"volume\" in [[module]]; did you mean \"volumes\"?"),
          HasSubstr("modules.toml:7:10: modules from bindle: are not supported yet"),
          HasSubstr("modules.toml:8:11: there is no folder")));
}

TEST(Wagi, SaysWhatItAcceptsButDoesNotDo) {
  Fixture f;
  const auto manifest = f.read(
      "[[module]]\nroute = \"/healthz\"\nmodule = \"build/Hello World.wasm\"\nallowed_hosts = [\"https://a\"]\n"
      "[[module]]\nroute = \"/healthz\"\nmodule = \"build/Hello World.wasm\"\n");
  ASSERT_TRUE(manifest) << manifest.error().message();
  EXPECT_THAT(manifest->notices,
              ElementsAre(HasSubstr("answered by the server"), HasSubstr("not available yet"),
                          HasSubstr("answered by the server"), HasSubstr("there twice")));
}

TEST(Wagi, BecomesAManifestInTheOrderOfTheFile) {
  Fixture f;
  f.folder.write("data/x", "x");
  const auto manifest = f.read(
      "[[module]]\nroute = \"/z/...\"\nmodule = \"file:build/Hello World.wasm\"\nentrypoint = \"run\"\n"
      "argv = \"a ${ARGS}\"\nvolumes = { \"/data/\" = \"data\" }\nenvironment = { A = \"b\" }\n"
      "http_max_concurrency = 4\nallowed_hosts = []\n"
      "[[module]]\nroute = \"/\"\nmodule = \"" +
      (f.folder.path() / "build/Hello World.wasm").native() + "\"\n");
  ASSERT_TRUE(manifest) << manifest.error().message();
  EXPECT_EQ(manifest->rules, RouteRules::wagi);
  EXPECT_THAT(manifest->notices, ElementsAre());
  ASSERT_EQ(manifest->modules.size(), 2u);
  EXPECT_EQ(manifest->modules[0].name.str(), "hello-world");
  EXPECT_EQ(manifest->modules[1].name.str(), "hello-world-2");
  EXPECT_EQ(manifest->modules[0].source, f.folder.path() / "build/Hello World.wasm");
  EXPECT_EQ(manifest->modules[0].entrypoint, "run");
  EXPECT_EQ(manifest->modules[0].argv, "a ${ARGS}");
  EXPECT_EQ(manifest->modules[0].environment, (Pairs{{"A", "b"}}));
  ASSERT_EQ(manifest->modules[0].volumes.size(), 1u);
  EXPECT_EQ(manifest->modules[0].volumes[0].guest, "/data");
  EXPECT_EQ(manifest->functions[0].route.text, "/z/...");
  EXPECT_EQ(manifest->functions[1].module, 1u);
}

TEST(Wagi, NamesThreeModulesOfOneFileApart) {
  Fixture f;
  std::string text;
  for (const auto* route : {"/a", "/b", "/c"}) {
    text +=
        std::string("[[module]]\nroute = \"") + route + "\"\nmodule = \"build/Hello World.wasm\"\n";
  }
  const auto manifest = f.read(text);
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->modules[2].name.str(), "hello-world-3");
}

}  // namespace
}  // namespace carrel::app
