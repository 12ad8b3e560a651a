#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/test_api.h"
#include "app/hosts/desk.h"

namespace carrel::api {
namespace {

using hosts::Certificate;
using Json = nlohmann::json;

class FakeDesk final : public hosts::Desk {
 public:
  Result<void> check_free(std::string_view) const override { return {}; }
  hosts::Challenge challenge(const TenantName&, std::string_view) const override { return {}; }
  async::Task<Result<void>> prove(TenantName, std::string) override { co_return Result<void>(); }
  async::Task<Result<void>> serve(std::string) override { co_return Result<void>(); }
  Result<hosts::AllProven> proven() const override {
    return hosts::AllProven{.hosts = {{.host = "a.example",
                                       .scope = {TenantName("acme"), AppName("shop")},
                                       .since = WallTime()}}};
  }
  std::optional<Certificate> certificate(std::string_view host) const override {
    return host == "a.example" ? certificate_ : std::nullopt;
  }
  std::optional<Certificate> certificate_;
};

class Hosts : public ApiFixture {
 protected:
  Hosts() { api.serve_hosts(desk); }
  Json shown() {
    EXPECT_EQ(ask("GET", "/v1/hosts"), 200);
    return Json::parse(reply->body())["hosts"][0];
  }
  FakeDesk desk;
};

TEST_F(Hosts, SayWhatIsKnownOfTheirCertificates) {
  EXPECT_FALSE(shown().contains("certificate"));
  desk.certificate_ = Certificate();
  EXPECT_EQ(shown()["certificate"], (Json{{"state", "none"}}));
  const WallTime later = system_clock().wall() + std::chrono::hours(1);
  desk.certificate_->used = {.from = Certificate::From::acme, .until = later};
  EXPECT_EQ(shown()["certificate"],
            (Json{{"state", "valid"}, {"from", "acme"}, {"until", time_text(later)}}));
  desk.certificate_->used = {.from = Certificate::From::file, .until = WallTime()};
  desk.certificate_->failure = {.code = "egress_failed", .message = "rateLimited", .again = later};
  EXPECT_EQ(
      shown()["certificate"],
      (Json{
          {"state", "expired"},
          {"from", "file"},
          {"until", "1970-01-01T00:00:00Z"},
          {"failure",
           {{"code", "egress_failed"}, {"message", "rateLimited"}, {"again", time_text(later)}}}}));
}

}  // namespace
}  // namespace carrel::api
