#include "cli/serve_config.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "cli/serve_options.h"

namespace carrel::cli {
namespace {

class Config : public ::testing::Test {
 protected:
  Config() { add_serve_options(app, arguments); }
  std::string apply(std::string_view text) {
    const auto root = app::parse_toml(text, "/etc/carreld.toml");
    EXPECT_TRUE(root);
    const auto done = apply_config(*root, "/etc/carreld.toml", app, given_keys(app));
    return done ? "" : done.error().message();
  }

  ServeArguments arguments;
  CLI::App app;
};

TEST_F(Config, OptionsHaveTheirOwnNames) {
  EXPECT_EQ(apply(R"(
apps = ["shop", "/srv/blog"]
listen = "0.0.0.0:80"
shards = 4
max_body = "64KiB"
allow_egress = ["10.0.0.0/8"]
tls_cert = "tls/chain.pem"
access_log = "-"
log = "/var/log/carrel"
env = { REGION = "eu", LEVEL = "a=b" }
host = ["shop=shop.example.com"]
)"),
            "");
  EXPECT_EQ(arguments.apps, (std::vector<std::string>{"/etc/shop", "/srv/blog"}));
  EXPECT_EQ(arguments.listen, "0.0.0.0:80");
  EXPECT_EQ(arguments.shards, 4U);
  EXPECT_EQ(arguments.max_body, "64KiB");
  EXPECT_EQ(arguments.egress.allowed, std::vector<std::string>{"10.0.0.0/8"});
  EXPECT_EQ(arguments.certificate, "/etc/tls/chain.pem");
  EXPECT_EQ(arguments.access_log, "-");
  EXPECT_EQ(arguments.log, "/var/log/carrel");
  EXPECT_EQ(arguments.environment, (std::vector<std::string>{"LEVEL=a=b", "REGION=eu"}));
  EXPECT_EQ(arguments.hosts, std::vector<std::string>{"shop=shop.example.com"});
}

TEST_F(Config, TheCommandLineGoesFirst) {
  app.parse(std::vector<std::string>{"9.9.9.9:9", "--listen"});
  EXPECT_EQ(apply("listen = \"0.0.0.0:80\"\ndrain = \"1s\""), "");
  EXPECT_EQ(arguments.listen, "9.9.9.9:9");
  EXPECT_EQ(arguments.drain, "1s");
}

TEST_F(Config, EverythingThatIsWrongIsSaidWithItsPlace) {
  const std::string said = apply(R"(lissen = "x"
shards = 1000
max_body = ["1KiB"]
host = true
env = { A = 1 }
)");
  for (const auto* part :
       {"carreld.toml:1:1: unknown key \"lissen\"; did you mean \"listen\"?", "carreld.toml:2:1",
        ":3:12: `max_body` is to be a text or a number",
        ":4:8: `host` is to be a text or a list of texts", "`env` is to be a table of texts"}) {
    EXPECT_NE(said.find(part), std::string::npos) << part << "\n" << said;
  }
  EXPECT_EQ(arguments.shards, 0U);
}

TEST_F(Config, AModulesFileOfWagiIsToldFromIt) {
  EXPECT_TRUE(is_wagi(*app::parse_toml("[[module]]\nroute = \"/\"", "x")));
  EXPECT_FALSE(is_wagi(*app::parse_toml("modules = \"modules.toml\"", "x")));
}

}  // namespace
}  // namespace carrel::cli
