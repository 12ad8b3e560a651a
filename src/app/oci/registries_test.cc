// Registries that do not keep to the rules, without TLS and on the loopback.
#include "app/oci/registries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/oci/contents.h"
#include "app/oci/document.h"
#include "app/oci/new_file.h"
#include "app/test_folder.h"
#include "net/test_client.h"

namespace carrel::oci {
namespace {

using net::testing_client::Hostile;
using testing::HasSubstr;
using namespace std::chrono_literals;

const std::string kModule("\0asm\1\0\0\0", 8);

std::string ok(std::string_view body, std::string_view headers = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body);
}

std::string image_of(std::string_view module, std::uint64_t size) {
  return write_image(
      {.config = {.media_type = "c", .digest = digest_of("{}"), .size = 2},
       .layers = {
           {.media_type = std::string(kWasmLayer), .digest = digest_of(module), .size = size}}});
}

// A peer that says something and then nothing more, for as long as it lives.
class Stalling {
 public:
  explicit Stalling(std::string words) : words_(std::move(words)) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_.get(), 8);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      peer_.reset(::accept(listener_.get(), nullptr, nullptr));
      if (peer_) ::send(peer_.get(), words_.data(), words_.size(), MSG_NOSIGNAL);
    });
  }
  ~Stalling() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  std::uint16_t port() const { return port_; }

 private:
  std::string words_;
  Fd listener_, peer_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

struct Fixture {
  app::TestFolder folder;
  net::EgressPolicy policy = net::testing_client::loopback();

  // Each with connections of its own, which are gone before the peer.
  Result<Pulled> pull(std::uint16_t port, std::string version = ":1") {
    const auto registries =
        Registries::make(
            {.policy = policy,
             .credentials =
                 Credentials::parse(R"({"auths":{"127.0.0.1":{"username":"u"}}})").value(),
             .stall = 200ms})
            .value();
    auto file = NewFile::make(folder.path() / "module.wasm");
    return registries->pull(
        parse_reference("127.0.0.1:" + std::to_string(port) + "/a" + version).value(), "", *file);
  }
  Result<Pulled> pull(std::vector<std::string> answers, std::string version = ":1") {
    Hostile hostile(std::move(answers));
    return pull(hostile.port(), std::move(version));
  }
};

const std::string kType = "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n";

TEST(Registries, WhatIsAskedForArrives) {
  Fixture f;
  const auto pulled = f.pull({ok(image_of(kModule, 8), kType), ok(kModule)});
  ASSERT_TRUE(pulled) << pulled.error().message();
  EXPECT_EQ(pulled->module, digest_of(kModule));
  EXPECT_TRUE(std::filesystem::is_empty(f.folder.path())) << "nothing was kept";
}

TEST(Registries, ALieAboutAManifestIsSeen) {
  Fixture f;
  const auto by_digest = f.pull({ok(image_of(kModule, 8))}, "@" + digest_of("another"));
  EXPECT_EQ(by_digest.error().code(), Code::digest_mismatch);
  const auto by_header =
      f.pull({ok(image_of(kModule, 8), "Docker-Content-Digest: " + digest_of("another") + "\r\n")});
  EXPECT_EQ(by_header.error().code(), Code::digest_mismatch);
}

TEST(Registries, ALieAboutABlobIsSeen) {
  Fixture f;
  const std::string endless =
      "HTTP/1.1 200 OK\r\n\r\n" + std::string(1 << 20, 'x');  // as long as the connection
  for (const std::string& blob :
       {ok(std::string("\0asm\2\0\0\0", 8)), ok(kModule + "x"), ok(kModule.substr(1)), endless,
        "HTTP/1.1 200 OK\r\n\r\n" + kModule.substr(1)}) {
    const auto pulled = f.pull({ok(image_of(kModule, 8)), blob});
    ASSERT_FALSE(pulled);
    EXPECT_EQ(pulled.error().code(), Code::digest_mismatch) << blob.substr(0, 80);
  }
}

TEST(Registries, WhatIsTooLargeIsNotTaken) {
  Fixture f;
  EXPECT_EQ(f.pull({ok(image_of(kModule, 10ULL << 30))}).error().code(), Code::module_too_large);
  const std::string huge = "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n";
  EXPECT_EQ(f.pull({huge + std::string(6 << 20, ' ')}).error().code(), Code::egress_too_large);
}

TEST(Registries, OneThatStallsIsLeft) {
  Fixture f;
  for (const std::string words : {"", "HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\nhalf"}) {
    Stalling registry(words);
    EXPECT_EQ(f.pull(registry.port()).error().code(), Code::egress_timeout);
  }
}

TEST(Registries, ChallengesWithoutEndAreAnsweredOnce) {
  Fixture f;
  const std::string basic =
      "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n";
  std::vector<std::string> answers(10, basic);
  Hostile hostile(answers);
  EXPECT_EQ(f.pull(hostile.port()).error().code(), Code::unauthenticated);
  EXPECT_EQ(f.pull({"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"}).error().code(),
            Code::unauthenticated);
  const std::string nowhere =
      "HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm=\"file:///etc/passwd\"\r\n\r\n";
  EXPECT_EQ(f.pull({nowhere}).error().code(), Code::invalid_argument);
}

TEST(Registries, RedirectsEndAndStayWithinThePolicy) {
  Fixture f;
  const std::string to = "HTTP/1.1 307 Go\r\nContent-Length: 0\r\nLocation: ";
  EXPECT_THAT(f.pull(std::vector<std::string>(10, to + "/again\r\n\r\n")).error().message(),
              HasSubstr("without end"));
  for (const std::string place : {"http://169.254.169.254/latest", "http://10.0.0.1/"}) {
    EXPECT_EQ(f.pull({to + place + "\r\n\r\n"}).error().code(), Code::egress_address);
  }
  EXPECT_EQ(f.pull({to + "file:///etc/passwd\r\n\r\n"}).error().code(), Code::invalid_argument);
}

TEST(Registries, WithoutLeaveTheLoopbackIsNotCalled) {
  Fixture f;
  f.policy = {};
  EXPECT_EQ(f.pull({ok("")}).error().code(), Code::egress_address);
}

TEST(Registries, ARefusalIsToldInItsOwnWordsWithoutControlCharacters) {
  Fixture f;
  std::string words =
      ok(R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"no\u001bsuch tag"}]})");
  const auto pulled = f.pull({words.replace(9, 6, "404 No")});
  EXPECT_EQ(pulled.error().code(), Code::not_found);
  EXPECT_THAT(pulled.error().message(), HasSubstr("MANIFEST_UNKNOWN"));
  EXPECT_FALSE(pulled.error().message().contains('\x1b'));
}

}  // namespace
}  // namespace carrel::oci
