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

std::string event_with(std::string_view more) {
  return "[[hook]]\npoint = \"order.created\"\nkind = \"event\"\n" + std::string(more);
}

TEST(Hooks, EventsAreToldAndTriedAgain) {
  Fixture f;
  const auto manifest = f.read(event_with("[[hook.bind]]\nmodule = \"a\"\n"));
  ASSERT_TRUE(manifest) << manifest.error().describe();
  const HookPoint& point = manifest->hooks[0];
  EXPECT_EQ(point.kind, PointKind::event);
  EXPECT_EQ(point.deadline, std::chrono::seconds(15));
  EXPECT_FALSE(point.retry);
  const auto own = f.read(event_with("retry = [\"1s\", \"2h\"]\ndeadline = \"1s\"\n"));
  ASSERT_TRUE(own);
  EXPECT_EQ(own->hooks[0].retry,
            (std::vector<Nanos>{std::chrono::seconds(1), std::chrono::hours(2)}));
  EXPECT_TRUE(f.read(event_with("retry = []\n"))->hooks[0].retry->empty());
  for (const auto* key : {"combine = \"all\"", "output = \"out.json\"", "default = '1'",
                          "on_failure = \"skip\"", "html = \"\""})
    EXPECT_THAT(f.error(event_with(std::string(key) + "\n")), HasSubstr("nobody waits"));
  EXPECT_THAT(f.error(event_with("retry = [\"soon\"]\n")), HasSubstr("no time to wait"));
  EXPECT_THAT(f.error(event_with("retry = [\"0s\"]\n")), HasSubstr("no time to wait"));
  std::string many = "\"1s\"";
  for (int i = 0; i < 20; ++i) many += ", \"1s\"";
  EXPECT_THAT(f.error(event_with("retry = [" + many + "]\n")), HasSubstr("20 times"));
  EXPECT_THAT(f.error(with("retry = [\"1s\"]\n")), HasSubstr("not tried again"));
  EXPECT_THAT(f.error(with("kind = \"evnt\"\n")), HasSubstr("event"));
}

std::string bound_at(std::string_view url, std::string_view more = "") {
  return event_with("[[hook.bind]]\nname = \"crm\"\nendpoint = \"" + std::string(url) +
                    "\"\nsecret = \"CRM_KEY\"\n" + std::string(more));
}

TEST(Hooks, EndpointsStandWhereModulesDo) {
  Fixture f;
  const auto manifest = f.read(bound_at("https://crm.example.com/in?k=1",
                                        "format = \"cloudevents-binary\"\n"
                                        "disable_after = \"48h\"\ntenant = \"m1\"\n"));
  ASSERT_TRUE(manifest) << manifest.error().describe();
  const HookBinding& binding = manifest->hooks[0].bindings[0];
  ASSERT_TRUE(binding.endpoint);
  EXPECT_EQ(binding.name, "crm");
  EXPECT_EQ(binding.tenant, "m1");
  EXPECT_EQ(binding.endpoint->url.text(), "https://crm.example.com/in?k=1");
  EXPECT_EQ(binding.endpoint->secret, "CRM_KEY");
  EXPECT_EQ(binding.endpoint->format, EventFormat::binary);
  EXPECT_EQ(binding.endpoint->disable_after, std::chrono::hours(48));
  for (const auto* url : {"http://localhost:1/", "http://127.0.0.1:1/", "http://[::1]:1/"})
    EXPECT_EQ(f.error(bound_at(url)), "no error") << url;
  for (const auto* url : {"http://crm.example.com/", "http://127.0.0.1.example.com/"})
    EXPECT_THAT(f.error(bound_at(url)), HasSubstr("https://")) << url;
  EXPECT_THAT(f.error(bound_at("ftp://x/")), HasSubstr("endpoint"));
  EXPECT_THAT(f.error(bound_at("https://u:p@x.example/")), HasSubstr("endpoint"));
  EXPECT_THAT(f.error(bound_at("https://x.example/", "format = \"xml\"\n")), HasSubstr("format"));
  EXPECT_THAT(f.error(bound_at("https://x.example/", "config = { A = \"1\" }\n")),
              HasSubstr("config"));
  EXPECT_THAT(f.error(bound_at("https://x.example/", "module = \"a\"\n")), HasSubstr("not both"));
  EXPECT_THAT(
      f.error(event_with("[[hook.bind]]\nname = \"c\"\nendpoint = \"https://x.example/\"\n")),
      HasSubstr("secret"));
  EXPECT_THAT(
      f.error(event_with("[[hook.bind]]\nsecret = \"K\"\nendpoint = \"https://x.example/\"\n")),
      HasSubstr("name"));
}

TEST(Hooks, EndpointsMayWantAnAccessToken) {
  Fixture f;
  const auto with_oauth = [](std::string_view keys) {
    return bound_at("https://x.example/", "oauth = { " + std::string(keys) + " }\n");
  };
  const std::string url = "url = \"https://id.example/token\"";
  const std::string whole = url + ", client_id = \"c\", client_secret = \"CRM_CLIENT\"";
  const auto manifest = f.read(with_oauth(whole + ", scope = \"a b\""));
  ASSERT_TRUE(manifest) << manifest.error().describe();
  const auto& oauth = manifest->hooks[0].bindings[0].endpoint->oauth;
  ASSERT_TRUE(oauth);
  EXPECT_EQ(oauth->url.text(), "https://id.example/token");
  EXPECT_EQ(oauth->id, "c");
  EXPECT_EQ(oauth->secret, "CRM_CLIENT");
  EXPECT_EQ(oauth->scope, "a b");
  EXPECT_THAT(f.error(with_oauth(url)), HasSubstr("client_id"));
  EXPECT_THAT(f.error(with_oauth(url + ", client_id = \"c\"")), HasSubstr("client_secret"));
  EXPECT_THAT(f.error(with_oauth("url = \"http://id.example/\", client_id = \"c\", "
                                 "client_secret = \"S\"")),
              HasSubstr("https://"));
  EXPECT_THAT(f.error(with_oauth(url + ", client_id = \"c\", client_secret = \"s3cr&t\"")),
              HasSubstr("no name of a secret"));
  EXPECT_THAT(f.error(with_oauth(whole + ", scope = \"a\\nb\"")), HasSubstr("scope"));
  EXPECT_THAT(f.error(with_oauth(whole + ", grant = \"password\"")), HasSubstr("grant"));
  EXPECT_THAT(f.error(with_oauth(whole + ", client_id = \"\"")), Not(HasSubstr("no error")));
}

TEST(Hooks, CallsAskEndpointsAsWell) {
  Fixture f;
  const std::string bound =
      "[[hook.bind]]\nname = \"crm\"\nendpoint = \"https://x.example/\"\nsecret = \"K\"\n";
  EXPECT_EQ(f.error(with(bound)), "no error");
  EXPECT_THAT(f.error(with(bound + "disable_after = \"1h\"\n")), HasSubstr("kind = \"event\""));
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
