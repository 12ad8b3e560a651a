#include "app/manifest.h"

#include <gmock/gmock.h>

#include "app/setup.h"
#include "app/test_folder.h"

namespace carrel::app {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kApp = "[app]\nname = \"shop\"\n";  // two lines

// An app's folder with one module's file.
struct Fixture {
  TestFolder folder;
  Fixture() {
    folder.write("price.wasm", "x");
    folder.write("static/a.txt", "x");
  }
  Result<Manifest> read(std::string_view rest) {
    return parse_manifest(std::string(kApp) + std::string(rest), folder.path() / "carrel.toml");
  }
  // Without the folder's name before each line.
  std::string error(std::string_view rest) {
    auto manifest = read(rest);
    if (manifest) return "no error";
    EXPECT_EQ(manifest.error().code(), Code::invalid_config);
    std::string text = manifest.error().message();
    const std::string prefix = folder.path().native() + "/";
    for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
      text.erase(at, prefix.size());
    return text;
  }
};

TEST(Manifest, IsMissing) {
  const TestFolder folder;
  const auto manifest = load_manifest(folder.path());
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().code(), Code::not_found);
  EXPECT_THAT(manifest.error().help(), HasSubstr("carrel new"));
}

TEST(Manifest, OfTenMegabytesIsRefused) {
  const TestFolder folder;
  folder.write("carrel.toml", std::string(10 << 20, '#'));
  EXPECT_THAT(load_manifest(folder.path()).error().message(), HasSubstr("larger than 1 MiB"));
}

TEST(Manifest, NeedsAnAppWithAName) {
  EXPECT_THAT(parse_manifest("", "carrel.toml").error().message(), HasSubstr("needs [app]"));
  EXPECT_THAT(parse_manifest("[app]", "carrel.toml").error().message(),
              HasSubstr("[app] needs `name"));
  EXPECT_THAT(parse_manifest("[app]\nname = \"A B\"", "carrel.toml").error().message(),
              HasSubstr("is no name"));
  EXPECT_THAT(parse_manifest("app = 3", "carrel.toml").error().message(),
              HasSubstr("must be a table"));
}

TEST(Manifest, ReportsEveryProblemAtOnceInTheOrderOfTheFile) {
  Fixture f;
  EXPECT_EQ(
      f.error("[module.price]\n"
              "source = \"prise.wasm\"\n"
              "limit = { memory = \"64MiB\" }\n"
              "[[function]]\n"
              "route = \"GET price\"\n"
              "module = \"prize\"\n"
              "[modules]\n"),
      "carrel.toml:4:10: there is no file \"prise.wasm\"; build the module, or correct `source`\n"
      "carrel.toml:5:1: unknown key \"limit\" in [module.price]; did you mean \"limits\"?\n"
      "carrel.toml:7:9: the path \"price\" must begin with '/'\n"
      "carrel.toml:8:10: there is no module \"prize\"; did you mean \"price\"?\n"
      "carrel.toml:9:2: unknown key \"modules\" in the manifest; did you mean \"module\"?");
}

TEST(Manifest, RefusesLimitsOutOfBounds) {
  Fixture f;
  EXPECT_THAT(
      f.error(
          "[module.price]\nsource = \"price.wasm\"\n"
          "limits = { memory = \"1B\", cpu = \"0ms\", time = \"99h\", open_files = 99999999999999, "
          "tmp = \"9GiB\", log = 5, stack = 1 }\n"),
      AllOf(HasSubstr(
                "`memory` in `limits` of [module.price] must be from 64KiB to 4GiB, not \"1B\""),
            HasSubstr("`cpu` in `limits` of [module.price] must be from 1ms to 1h"),
            HasSubstr("`time` in `limits` of [module.price] must be from 1ms to 1h, not \"99h\""),
            HasSubstr("`open_files` in `limits` of [module.price] must be from 8 to 65536"),
            HasSubstr("`tmp` in `limits` of [module.price] must be from 0B to 1GiB"),
            HasSubstr("`log` in `limits` of [module.price] must be a size such as"),
            HasSubstr("unknown key \"stack\" in `limits` of [module.price]")));
}

TEST(Manifest, RefusesSourcesOutsideItsFolder) {
  Fixture f;
  for (const auto* source : {"/etc/passwd", "../x.wasm", "a/../../x.wasm", ".."}) {
    EXPECT_THAT(f.error(std::string("[module.a]\nsource = \"") + source + "\"\n"),
                HasSubstr("is outside the app's folder"))
        << source;
  }
  EXPECT_THAT(f.error("[module.a]\nsource = \"oci://host/a:1\"\n"),
              HasSubstr("does not name the registry"));
  EXPECT_THAT(f.error("[module.a]\nsource = \"oci://ghcr.io/a\"\n"),
              HasSubstr("neither a tag nor a digest"));
  EXPECT_THAT(f.error("[module.a]\nsource = \"static\"\n"), HasSubstr("there is no file"));
  EXPECT_THAT(f.error("[module.a]\n"), HasSubstr("[module.a] needs `source"));
}

TEST(Manifest, ASourceMayBeInARegistry) {
  const auto manifest = parse_manifest(
      "[app]\nname = \"shop\"\n[module.a]\nsource = \"oci://ghcr.io/team/a:1\"\n", "carrel.toml");
  ASSERT_TRUE(manifest) << manifest.error().message();
  EXPECT_EQ(manifest->modules.at(0).image->text(), "oci://ghcr.io/team/a:1");
  EXPECT_TRUE(manifest->modules.at(0).source.empty());
}

TEST(Manifest, RefusesBadNamesAndShapesOfModules) {
  Fixture f;
  EXPECT_THAT(f.error("[module.\"../x\"]\nsource = \"price.wasm\"\n"),
              HasSubstr("the module's name \"../x\" must be"));
  EXPECT_THAT(f.error("[[module.a]]\nsource = \"price.wasm\"\n"), HasSubstr("written [module.a]"));
  EXPECT_THAT(f.error("module = 3\n"), HasSubstr("unknown key \"module\" in [app]"));
}

TEST(Manifest, RefusesEveryGrantOfLaterBuilds) {
  Fixture f;
  const std::string text = f.error(
      "[module.price]\nsource = \"price.wasm\"\n"
      "grants = { queues = [\"a:rw\"], topics = [], outbox = [], app = [], tokens = [] }\n");
  EXPECT_THAT(text, HasSubstr("the grant `queues` needs queues, not supported yet by this build"));
  EXPECT_THAT(text, HasSubstr("the grant `topics` needs topics"));
  EXPECT_THAT(text, HasSubstr("the grant `outbox` needs the outbox"));
  EXPECT_THAT(text, HasSubstr("the grant `app` needs functions"));
  EXPECT_THAT(text, HasSubstr("unknown key \"tokens\""));
}

TEST(Manifest, MayNotStreamWhatIsHeldBackUntilACommit) {
  Fixture f;
  constexpr std::string_view kStream =
      "[module.price]\nsource = \"price.wasm\"\nstream = true\ngrants = ";
  EXPECT_THAT(f.error(std::string(kStream) + "{ kv = [\"a:rw\"] }\n"),
              HasSubstr("carrel.toml:5:10: [module.price] may write to a store"));
  EXPECT_EQ(f.error(std::string(kStream) + "{ kv = [\"a:r\"] }\n"), "no error");
  EXPECT_THAT(f.error("[module.price]\nsource = \"price.wasm\"\nstream = 1\n"),
              HasSubstr("`stream` in [module.price] must be true or false"));
}

TEST(Manifest, SaysHowItsStateIsKept) {
  Fixture f;
  const auto plain = f.read("");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->sync, store::Sync::always);
  EXPECT_EQ(plain->storage, 1ULL << 30);
  const auto other = f.read("sync = \"interval\"\nstorage = \"64KiB\"\n");
  ASSERT_TRUE(other) << other.error().message();
  EXPECT_EQ(other->sync, store::Sync::interval);
  EXPECT_EQ(other->storage, 64u << 10);
  EXPECT_THAT(
      f.error("sync = \"never\"\nstorage = \"1KiB\"\n"),
      AllOf(HasSubstr("carrel.toml:3:8: `sync` in [app] must be \"always\" or \"interval\""),
            HasSubstr("`storage` in [app] must be from 64KiB to 1048576GiB")));
}

TEST(Manifest, GivesAModuleItsGrants) {
  Fixture f;
  auto manifest = f.read(
      "[module.price]\nsource = \"price.wasm\"\n"
      "grants = { kv = [\"carts:rw\"], secrets = [\"KEY\"] }\n");
  ASSERT_TRUE(manifest) << manifest.error().message();
  manifest->storage = 5;
  const auto setup = setup_of(*manifest, manifest->modules[0]);
  ASSERT_EQ(setup.grants.kv.size(), 1u);
  EXPECT_EQ(setup.grants.kv[0].store, "carts");
  EXPECT_TRUE(setup.grants.gated());
  EXPECT_EQ(setup.grants.secrets, std::vector<std::string>{"KEY"});
  EXPECT_EQ(setup.storage, 5u);
  EXPECT_EQ(setup.tenant.str(), "shop");
}

TEST(Manifest, RefusesEveryTableOfLaterBuilds) {
  Fixture f;
  EXPECT_THAT(f.error("[[queue]]\nname = \"x\"\n"), HasSubstr("`queue` needs queues"));
  EXPECT_THAT(f.error("[workflow.x]\n"), HasSubstr("`workflow` needs workflows"));
}

TEST(Manifest, RefusesTheSameRouteTwice) {
  Fixture f;
  constexpr std::string_view kModule = "[module.price]\nsource = \"price.wasm\"\n";
  const auto two = [&](const char* a, const char* b) {
    return f.error(std::string(kModule) + "[[function]]\nmodule = \"price\"\nroute = \"" + a +
                   "\"\n[[function]]\nmodule = \"price\"\nroute = \"" + b + "\"\n");
  };
  EXPECT_THAT(two("GET /a/:x", "GET,POST /a/:y"),
              HasSubstr("the route GET /a/:y is there twice, first in line 7"));
  EXPECT_THAT(two("/a", "/a"), HasSubstr("the route /a is there twice"));
  EXPECT_EQ(two("GET /a", "POST /a"), "no error");
  EXPECT_EQ(two("GET /a", "/a"), "no error");
  EXPECT_EQ(two("GET /a", "GET /a/"), "no error");
}

TEST(Manifest, RefusesConfigurationThatIsNoVariable) {
  Fixture f;
  EXPECT_THAT(
      f.error("[module.price]\nsource = \"price.wasm\"\nconfig = { \"A=B\" = \"x\", C = [] }\n"
              "env = { D = \"a\\u0000b\" }\n"),
      AllOf(HasSubstr("\"A=B\" in `config` of [module.price] is no name of a variable"),
            HasSubstr("\"C\" in `config` of [module.price] must be a text, not a list"),
            HasSubstr("the value of \"D\" contains a NUL")));
  EXPECT_THAT(
      f.error("[module.price]\nsource = \"price.wasm\"\nconfig = { A = 1 }\nenv = { A = 2 }\n"),
      HasSubstr("is in `config` as well"));
}

TEST(Manifest, RefusesStaticRoutesThatAreNoPrefix) {
  Fixture f;
  for (const auto* route : {"/static", "GET /static/*", "/:a/*"}) {
    EXPECT_THAT(
        f.error(std::string("[[static]]\nfolder = \"static\"\nroute = \"") + route + "\"\n"),
        HasSubstr("a static route is a prefix"))
        << route;
  }
  EXPECT_THAT(f.error("[[static]]\nroute = \"/x/*\"\nfolder = \"none\"\n"),
              HasSubstr("there is no folder"));
  EXPECT_THAT(f.error("[[static]]\nroute = \"/x/*\"\nfolder = \"..\"\n"),
              HasSubstr("outside the app's folder"));
  EXPECT_THAT(f.error("[[static]]\nroute = \"/x/*\"\nfolder = \"static\"\nmax_age = 5\n"),
              HasSubstr("a duration"));
}

TEST(Manifest, DoesNotBlameRoutesForAModuleThatIsFaultyItself) {
  Fixture f;
  EXPECT_THAT(
      f.error("[module.price]\nsource = 3\n[[function]]\nroute = \"/\"\nmodule = \"price\"\n"),
      Not(HasSubstr("there is no module")));
}

TEST(Manifest, IsReadWhole) {
  Fixture f;
  f.folder.write("assets/x", "x");
  const auto manifest = f.read(
      "[module.price]\n"
      "source = \"./price.wasm\"\n"
      "limits = { memory = \"32MiB\", cpu = \"20ms\", time = \"1m\", open_files = 8, tmp = \"1MiB\", log = \"4KiB\" }\n"
      "config = { CURRENCY = \"EUR\", DIGITS = 2 }\n"
      "env = { MODE = \"x\" }\n"
      "entrypoint = \"run\"\n"
      "reuse = true\n"
      "argv = \"${SCRIPT_NAME}\"\n"
      "[[function]]\nroute = \"GET /price/:sku\"\nmodule = \"price\"\n"
      "[[static]]\nroute = \"/static/*\"\nfolder = \"static\"\nmax_age = \"1h\"\n");
  ASSERT_TRUE(manifest) << manifest.error().message();
  EXPECT_EQ(manifest->app.str(), "shop");
  EXPECT_EQ(manifest->rules, RouteRules::carrel);
  const Module* price = manifest->module("price");
  ASSERT_NE(price, nullptr);
  EXPECT_EQ(price->source, f.folder.path() / "price.wasm");
  EXPECT_EQ(price->limits.memory, 32u << 20);
  EXPECT_EQ(price->limits.cpu, Nanos(20ms));
  EXPECT_EQ(price->limits.time, Nanos(1min));
  EXPECT_EQ(price->limits.open_files, 8u);
  EXPECT_EQ(price->limits.private_memory, 1u << 20);
  EXPECT_EQ(price->limits.log_bytes, 4096u);
  EXPECT_EQ(price->config, (Pairs{{"CURRENCY", "EUR"}, {"DIGITS", "2"}}));
  EXPECT_EQ(price->environment, (Pairs{{"MODE", "x"}}));
  EXPECT_EQ(price->entrypoint, "run");
  EXPECT_TRUE(price->reuse);
  EXPECT_EQ(price->argv, "${SCRIPT_NAME}");
  ASSERT_EQ(manifest->functions.size(), 1u);
  EXPECT_EQ(manifest->functions[0].route.text, "/price/:sku");
  EXPECT_EQ(manifest->functions[0].module, 0u);
  ASSERT_EQ(manifest->statics.size(), 1u);
  EXPECT_EQ(manifest->statics[0].max_age, 1h);
  EXPECT_EQ(manifest->assets, f.folder.path() / "assets");
}

TEST(Manifest, OfTheShopHasNoProblemsButModulesThatAreNotBuilt) {
  const auto manifest = load_manifest("examples/shop");
  if (manifest) {
    EXPECT_EQ(manifest->functions.size(), 13u);
    return;
  }
  std::istringstream lines(manifest.error().message());
  for (std::string line; std::getline(lines, line);)
    EXPECT_THAT(line, HasSubstr("there is no file"));
}

}  // namespace
}  // namespace carrel::app
