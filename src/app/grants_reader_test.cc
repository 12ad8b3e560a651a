#include "app/grants_reader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>

namespace carrel::app {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Read {
  turn::Grants grants;
  std::string error = "no error";
};

// As a module's `grants = { ... }`.
Read read(std::string_view grants) {
  const auto root = parse_toml(fmt::format("grants = {{ {} }}", grants), "f");
  EXPECT_TRUE(root) << grants;
  Problems problems("f");
  TableReader module(*root, "[module.a]", problems);
  Read out{.grants = read_grants(module)};
  module.finish();
  if (!problems.empty()) out.error = problems.error().message();
  return out;
}

std::string http(std::string_view text) { return read(fmt::format("http = [\"{}\"]", text)).error; }

TEST(Grants, OfAStoreMustSayWhatIsAllowed) {
  for (const auto* text : {"carts", "carts:", "carts:x", "carts:wr", "carts:rwx", "carts:r:w",
                           "carts:RW", "carts: r"}) {
    EXPECT_THAT(
        read(fmt::format("kv = [\"{}\"]", text)).error,
        AllOf(HasSubstr("\"carts:r\""), HasSubstr("\"carts:w\""), HasSubstr("\"carts:rw\"")))
        << text;
  }
}

TEST(Grants, OfAStoreMustNameOne) {
  for (const std::string& name : {std::string(), std::string("A"), std::string("../x"),
                                  std::string("a/b"), std::string("-a"), std::string(65, 'a')}) {
    EXPECT_THAT(read(fmt::format("counters = [\"{}:r\"]", name)).error,
                HasSubstr("names no store; write 1 to 64 of"))
        << name;
  }
  EXPECT_EQ(read(fmt::format("counters = [\"{}:r\"]", std::string(64, 'a'))).error, "no error");
}

TEST(Grants, HaveTheirProblemsWhereTheyStand) {
  EXPECT_THAT(read("kv = [\"a:r\", \"b\"]").error,
              HasSubstr("f:1:25: \"b\" in `kv` in `grants` of"));
}

TEST(Grants, AreNotThereTwice) {
  EXPECT_THAT(read("kv = [\"a:r\", \"a:w\"]").error, HasSubstr("there twice"));
  EXPECT_THAT(read("secrets = [\"A\", \"A\"]").error, HasSubstr("there twice"));
  EXPECT_THAT(read("http = [\"https://a.b\", \"GET https://A.b:443\"]").error,
              HasSubstr("there twice"));
  EXPECT_EQ(read("kv = [\"a:r\"], counters = [\"a:r\"]").error, "no error");
}

TEST(Grants, AreOfBoundedNumber) {
  std::string many;
  for (std::size_t i = 0; i <= kMostGrants; ++i) many += fmt::format("\"s{}:r\",", i);
  EXPECT_THAT(read(fmt::format("kv = [{}]", many)).error, HasSubstr("more than 256 texts"));
}

TEST(Grants, OfUnknownKindsNameTheNearest) {
  EXPECT_THAT(read("counter = []").error, HasSubstr("did you mean \"counters\"?"));
}

TEST(Grants, OfLaterBuildsAreRefusedWithWhatTheyNeed) {
  const Read refused = read("kv = [\"a:r\"], topics = [], app = []");
  EXPECT_THAT(refused.error,
              AllOf(HasSubstr("the grant `topics` needs topics, not supported yet by this build; "
                              "remove it"),
                    HasSubstr("the grant `app` needs functions of an embedding application")));
  EXPECT_EQ(refused.grants.kv.size(), 1u);
}

TEST(Grants, OfSecretsAreNamesOfVariables) {
  for (const auto* name : {"", "A-B", "1A", "A B", "../A"}) {
    EXPECT_THAT(read(fmt::format("secrets = [\"{}\"]", name)).error,
                HasSubstr("is no name of a secret"))
        << name;
  }
  EXPECT_THAT(read("secrets = [\"RATES_KEY\"]").grants.secrets, ElementsAre("RATES_KEY"));
}

TEST(Grants, OfCallsAreForWholeHostsOnly) {
  for (const auto* text : {"https://a.b/", "https://a.b/x", "https://a.b?x", "https://a.b#x",
                           "https://u@a.b", "https://u:p@a.b"}) {
    EXPECT_THAT(http(text), HasSubstr("a grant is for the whole host")) << text;
  }
  EXPECT_THAT(http("a.b"), HasSubstr("names no host"));
  EXPECT_THAT(http("ftp://a.b"), HasSubstr("neither http nor https"));
  for (const auto* text : {"https://", "https://:443", "https://a.b:", "https://a.b:0",
                           "https://a.b:65536", "https://a.b:x", "https://a..b", "https://127.1",
                           "https://[::1", "https://[x]", "https://a b", "https://a.b "}) {
    EXPECT_NE(http(text), "no error") << text;
  }
}

TEST(Grants, OfCallsHaveAStarOnlyBeforeTwoLabels) {
  for (const auto* text :
       {"https://*", "https://*a.b.c", "https://a.*.b", "https://*.*.b.c", "https://a.b:*"}) {
    EXPECT_THAT(http(text), HasSubstr("only as its host's whole first label")) << text;
  }
  for (const auto* text : {"https://*.com", "https://*.1.2.3.4", "https://*.[::1]"}) {
    EXPECT_THAT(http(text), HasSubstr("allows too much")) << text;
  }
  EXPECT_NE(http("https://*."), "no error");
}

TEST(Grants, OfCallsHaveMethodsThatCanBeAllowed) {
  EXPECT_THAT(http("CONNECT https://a.b"), HasSubstr("never allowed"));
  EXPECT_THAT(http("GET,TRACE https://a.b"), HasSubstr("never allowed"));
  EXPECT_THAT(http("GET,GET https://a.b"), HasSubstr("twice"));
  for (const auto* text : {"get https://a.b", "GET, https://a.b", ", https://a.b", " https://a.b",
                           "G=T https://a.b"}) {
    EXPECT_THAT(http(text), HasSubstr("upper-case methods")) << text;
  }
  EXPECT_NE(http("GET  https://a.b"), "no error");
}

TEST(Grants, AreReadWhole) {
  const Read all = read(
      "kv = [\"carts:rw\", \"prices:r\"], counters = \"stock:w\", blobs = [\"images:rw\"], "
      "http = [\"https://Rates.Example.com\", \"GET,POST http://*.example.com:8443\", "
      "\"http://[2001:DB8::1]\"]");
  EXPECT_EQ(all.error, "no error");
  ASSERT_EQ(all.grants.kv.size(), 2u);
  EXPECT_EQ(all.grants.kv[0].store, "carts");
  EXPECT_TRUE(all.grants.kv[0].read && all.grants.kv[0].write);
  EXPECT_TRUE(all.grants.kv[1].read && !all.grants.kv[1].write);
  ASSERT_EQ(all.grants.counters.size(), 1u);
  EXPECT_TRUE(!all.grants.counters[0].read && all.grants.counters[0].write);
  ASSERT_EQ(all.grants.blobs.size(), 1u);
  ASSERT_EQ(all.grants.http.size(), 3u);
  EXPECT_THAT(all.grants.http[0].methods, ElementsAre());
  EXPECT_EQ(all.grants.http[0].scheme, "https");
  EXPECT_EQ(all.grants.http[0].host, "rates.example.com");
  EXPECT_EQ(all.grants.http[0].port, 443);
  EXPECT_THAT(all.grants.http[1].methods, ElementsAre("GET", "POST"));
  EXPECT_EQ(all.grants.http[1].host, "*.example.com");
  EXPECT_EQ(all.grants.http[1].port, 8443);
  EXPECT_EQ(all.grants.http[2].host, "2001:db8::1");
  EXPECT_EQ(all.grants.http[2].port, 80);
}

}  // namespace
}  // namespace carrel::app
