#include "server/host_certificates.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "net/test_certificate.h"

namespace carrel::server {
namespace {

namespace fs = std::filesystem;
using From = hosts::Certificate::From;

class HostCertificatesTest : public testing::Test {
 protected:
  HostCertificatesTest() { EXPECT_NE(::mkdtemp(folder_.data()), nullptr); }
  ~HostCertificatesTest() override { fs::remove_all(folder_); }

  void put(const char* name, const net::TestCertificate& certificate) {
    fs::copy_file(certificate.files().certificate, fs::path(folder_) / name);
    fs::copy_file(certificate.files().key, (fs::path(folder_) / name).replace_extension(".key"));
  }
  std::string folder_ = (fs::temp_directory_path() / "carrel-names-XXXXXX").string();
};

TEST_F(HostCertificatesTest, SayWhereOneIsFromAndUntilWhen) {
  const net::TestCertificate otherwise;
  put("a.pem", net::TestCertificate(net::TestCertificate::Key::plain,
                                    net::TestCertificate::Age::fresh, "DNS:A.example"));
  put("any.pem", net::TestCertificate(net::TestCertificate::Key::plain,
                                      net::TestCertificate::Age::expired, "DNS:*.b.example"));
  net::TlsFiles files = otherwise.files();
  files.folders = {folder_};
  const auto tls = net::load_tls(files);
  ASSERT_TRUE(tls) << tls.error().message();
  const HostCertificates known(*tls, nullptr, folder_);
  const WallTime now = system_clock().wall();

  const auto own = known.of("a.example");
  ASSERT_TRUE(own.used);
  EXPECT_EQ(own.used->from, From::acme);
  EXPECT_GT(own.used->until, now + std::chrono::minutes(50));
  EXPECT_LT(own.used->until, now + std::chrono::minutes(70));
  EXPECT_FALSE(own.failure);

  const auto expired = known.of("x.b.example");
  ASSERT_TRUE(expired.used);
  EXPECT_LT(expired.used->until, now);

  const auto whoever = known.of("localhost");
  ASSERT_TRUE(whoever.used);
  EXPECT_EQ(whoever.used->from, From::file);
  EXPECT_FALSE(known.of("c.example").used);  // it would be given one of another name
}

}  // namespace
}  // namespace carrel::server
