#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/test_certificate.h"
#include "net/test_client.h"

namespace carrel::net {
namespace {

using testing::HasSubstr;
using namespace testing_client;

struct Secure : Fixture {
  explicit Secure(const TestCertificate& certificate, const TestCertificate& trusted)
      : Fixture({.policy = loopback(), .tls = load_client_tls(trusted.files().certificate).value()},
                load_tls(certificate.files()).value()) {
    hosts.hosts["localhost"] = {"127.0.0.1"};
  }
};

TEST(ClientTls, CallsAHostWhoseCertificateIsItsOwnAndTrusted) {
  const TestCertificate certificate;
  Secure f(certificate, certificate);
  for (const auto* host : {"localhost", "127.0.0.1"}) {
    const Outcome outcome = f.call({.url = f.url("/big", host, "https")});
    EXPECT_TRUE(outcome.ok) << outcome.error.message();
    EXPECT_EQ(outcome.body.size(), 5'000'000U);
  }
  EXPECT_TRUE(f.call({.url = f.url("/", "localhost", "https")}).ok);
  EXPECT_EQ(f.site.ports[0], f.site.ports[2]);
  const std::string body(3 << 20, 'b');
  EXPECT_TRUE(f.call({.method = "PUT", .url = f.url("/", "localhost", "https"), .body = body}).ok);
  EXPECT_EQ(f.site.last_body, body);
}

TEST(ClientTls, RefusesAnotherHostsCertificate) {
  const TestCertificate certificate;
  Secure f(certificate, certificate);
  const Outcome outcome = f.call({.url = f.url("/", "site.test", "https")});
  EXPECT_EQ(outcome.error.code(), Code::egress_tls);
  EXPECT_THAT(outcome.error.message(), HasSubstr("hostname mismatch"));
  EXPECT_TRUE(f.site.ports.empty());
}

TEST(ClientTls, RefusesACertificateThatNobodyTrusts) {
  const TestCertificate certificate, other;
  Secure f(certificate, other);
  const Outcome outcome = f.call({.url = f.url("/", "localhost", "https")});
  EXPECT_EQ(outcome.error.code(), Code::egress_tls);
  EXPECT_TRUE(f.site.ports.empty());
}

TEST(ClientTls, RefusesACertificateThatHasExpired) {
  const TestCertificate certificate(TestCertificate::Key::plain, TestCertificate::Age::expired);
  Secure f(certificate, certificate);
  const Outcome outcome = f.call({.url = f.url("/", "localhost", "https")});
  EXPECT_EQ(outcome.error.code(), Code::egress_tls);
  EXPECT_THAT(outcome.error.message(), HasSubstr("expired"));
  EXPECT_TRUE(f.site.ports.empty());
}

TEST(ClientTls, RefusesAPortThatSpeaksPlainHttp) {
  const TestCertificate certificate;
  Fixture f(
      {.policy = loopback(), .tls = load_client_tls(certificate.files().certificate).value()});
  EXPECT_EQ(f.call({.url = f.url("/", "site.test", "https")}).error.code(), Code::egress_tls);
  EXPECT_TRUE(f.site.ports.empty());
}

TEST(ClientTls, RootsThatCannotBeReadAreNamed) {
  EXPECT_THAT(load_client_tls("/nowhere.pem").error().message(), HasSubstr("/nowhere.pem"));
  EXPECT_TRUE(load_client_tls(""));
}

}  // namespace
}  // namespace carrel::net
