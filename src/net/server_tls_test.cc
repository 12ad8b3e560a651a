#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "net/test_certificate.h"
#include "net/test_server.h"

namespace carrel::net::testing_server {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(TlsFiles, ThatCannotBeUsedAreNamed) {
  const auto tls = load_tls({.certificate = "/nowhere/cert.pem", .key = "/nowhere/key.pem"});
  ASSERT_FALSE(tls.has_value());
  EXPECT_EQ(tls.error().code(), Code::invalid_config);
  EXPECT_THAT(tls.error().message(), HasSubstr("/nowhere/cert.pem"));
}

TEST_F(HttpServer, SpeaksTlsAndOffersItsProtocol) {
  const TestCertificate files;
  auto tls = load_tls(files.files());
  ASSERT_TRUE(tls.has_value()) << tls.error().message();
  serve({}, *tls);
  Handle<SSL_CTX, SSL_CTX_free> context(SSL_CTX_new(TLS_client_method()));
  Handle<SSL, SSL_free> ssl(SSL_new(context.get()));
  constexpr std::string_view kOffer = "\x02h2\x08http/1.1";
  SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(kOffer.data()),
                      kOffer.size());
  const Client socket(server_->port());
  SSL_set_fd(ssl.get(), socket.fd());
  ASSERT_EQ(SSL_connect(ssl.get()), 1);
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl.get(), &chosen, &size);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(chosen), size), "http/1.1");
  const std::string request = get("/x") + get("/big", kClose);
  SSL_write(ssl.get(), request.data(), static_cast<int>(request.size()));
  std::string reply;
  std::array<char, 65536> part;
  for (int n; (n = SSL_read(ssl.get(), part.data(), part.size())) > 0;)
    reply.append(part.data(), static_cast<std::size_t>(n));
  EXPECT_THAT(reply.substr(0, 300), HasSubstr("hello /xHTTP/1.1 200 OK"));
  EXPECT_GT(reply.size(), 20'000'000U);
}

TEST(Tls, AKeyWithAPassphraseIsRefusedWithoutAskingForIt) {
  const TestCertificate files(TestCertificate::Key::with_passphrase);
  const auto tls = load_tls(files.files());
  ASSERT_FALSE(tls.has_value());
  EXPECT_THAT(tls.error().help(), HasSubstr("passphrase"));
}

TEST_F(HttpServer, PlainTextOnATlsPortIsDropped) {
  const TestCertificate files;
  auto tls = load_tls(files.files());
  ASSERT_TRUE(tls.has_value());
  serve({}, *tls);
  EXPECT_THAT(ask(get("/x")), Not(HasSubstr("HTTP")));
  EXPECT_EQ(handler_.handled, 0);
}

class CertificatesByName : public HttpServer {
 protected:
  CertificatesByName() {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    files_.folders = {folder_};
  }
  ~CertificatesByName() override { std::filesystem::remove_all(folder_); }

  void add(const std::string& name, const char* who) const {
    const TestCertificate made(TestCertificate::Key::plain, TestCertificate::Age::fresh, who);
    constexpr auto kOver = std::filesystem::copy_options::overwrite_existing;
    std::filesystem::copy(made.files().certificate, folder_ + "/" + name + ".pem", kOver);
    std::filesystem::copy(made.files().key, folder_ + "/" + name + ".key", kOver);
  }
  // Whether who asks for `name` is shown a certificate for `expected`.
  bool shows(const char* name, const std::string& expected) {
    Handle<SSL_CTX, SSL_CTX_free> context(SSL_CTX_new(TLS_client_method()));
    Handle<SSL, SSL_free> ssl(SSL_new(context.get()));
    if (name != nullptr) SSL_set_tlsext_host_name(ssl.get(), name);
    const Client socket(server_->port());
    SSL_set_fd(ssl.get(), socket.fd());
    if (SSL_connect(ssl.get()) != 1) return false;
    const Handle<X509, X509_free> shown(SSL_get1_peer_certificate(ssl.get()));
    return X509_check_host(shown.get(), expected.data(), expected.size(), 0, nullptr) == 1;
  }

  const TestCertificate otherwise_;
  std::string folder_ = (std::filesystem::temp_directory_path() / "carrel-names-XXXXXX").string();
  TlsFiles files_ = otherwise_.files();
};

TEST_F(CertificatesByName, EachNameIsShownItsOwn) {
  add("shop", "DNS:shop.example,DNS:www.shop.example");
  add("any", "DNS:*.apps.example");
  const auto tls = load_tls(files_);
  ASSERT_TRUE(tls) << tls.error().message();
  serve({}, *tls);
  EXPECT_TRUE(shows("shop.example", "shop.example"));
  EXPECT_TRUE(shows("WWW.shop.example", "shop.example"));
  EXPECT_TRUE(shows("a.apps.example", "a.apps.example"));
  EXPECT_TRUE(shows("a.b.apps.example", "localhost"));
  EXPECT_TRUE(shows("other.example", "localhost"));
  EXPECT_TRUE(shows(nullptr, "localhost"));
}

TEST_F(CertificatesByName, ARenewedOneIsShownFromTheNextConnectionOn) {
  add("shop", "DNS:shop.example");
  const auto tls = load_tls(files_);
  ASSERT_TRUE(tls) << tls.error().message();
  serve({}, *tls);
  add("shop", "DNS:shop.example,DNS:renewed.example");
  EXPECT_TRUE(shows("renewed.example", "localhost"));
  EXPECT_TRUE(reload_tls(**tls, files_).empty());
  EXPECT_TRUE(shows("shop.example", "renewed.example"));
}

TEST_F(CertificatesByName, OneThatCannotBeUsedStaysAsItWas) {
  add("blog", "DNS:blog.example");
  add("shop", "DNS:shop.example");
  const auto tls = load_tls(files_);
  ASSERT_TRUE(tls) << tls.error().message();
  serve({}, *tls);
  const std::string look = look_of(files_);
  EXPECT_EQ(look_of(files_), look);
  std::ofstream(folder_ + "/shop.pem") << "broken";
  add("blog", "DNS:blog.example,DNS:renewed.example");
  EXPECT_NE(look_of(files_), look);
  const auto problems = reload_tls(**tls, files_);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(problems[0].message().find("shop.pem"), std::string::npos);
  EXPECT_TRUE(shows("shop.example", "shop.example"));
  EXPECT_TRUE(shows("renewed.example", "blog.example"));
  std::filesystem::remove(folder_ + "/shop.pem");
  EXPECT_TRUE(reload_tls(**tls, files_).empty());
  EXPECT_TRUE(shows("shop.example", "localhost"));
}

TEST_F(CertificatesByName, WithoutOneForWhoeverAsksOthersCannotConnect) {
  add("shop", "DNS:shop.example");
  files_.certificate = files_.key = "";
  const auto tls = load_tls(files_);
  ASSERT_TRUE(tls) << tls.error().message();
  serve({}, *tls);
  EXPECT_TRUE(shows("shop.example", "shop.example"));
  EXPECT_FALSE(shows("other.example", "shop.example"));
  EXPECT_FALSE(shows(nullptr, "shop.example"));
}

}  // namespace
}  // namespace carrel::net::testing_server
