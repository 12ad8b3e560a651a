#include "app/registry_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/oci/contents.h"
#include "app/oci/signature.h"
#include "app/oci/test_keys.h"
#include "app/test_folder.h"
#include "base/base64.h"
#include "net/test_client.h"
#include "store/sealer.h"
#include "store/store.h"

namespace carrel::app {
namespace {

using testing::HasSubstr;

const std::string kModule("\0asm\1\0\0\0", 8);
const TenantName kAcme("acme"), kOther("other");

// A registry in this process: what each path answers with, and who is let in.
class Site final : public net::Handler {
 public:
  std::map<std::string, std::string> pages;
  std::string wanted;  // the Authorization that is asked for
  std::vector<std::string> shown;

  async::Task<void> handle(net::Exchange& exchange) override {
    const std::string shown_now(exchange.request.header("authorization"));
    shown.push_back(shown_now);
    const auto page = pages.find(std::string(exchange.request.path));
    if (shown_now != wanted) {
      net::ReplyHead head{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=x"}}};
      (void)co_await exchange.reply.send(std::move(head), "");
    } else if (page == pages.end()) {
      (void)co_await exchange.reply.send(net::ReplyHead{.status = 404}, "");
    } else {
      net::ReplyHead head{.headers = {{"Content-Type", std::string(oci::kOciManifest)}}};
      (void)co_await exchange.reply.send(std::move(head), page->second);
    }
  }
};

struct Fixture {
  TestFolder folder;
  async::Shard shard;
  Site site;
  std::unique_ptr<net::Server> server;
  net::Client client{shard, {.policy = net::testing_client::loopback()}};
  store::Sealer sealer{NodeKey{}};
  std::unique_ptr<store::Store> store;
  turn::Services services;

  Fixture() {
    server = net::Server::listen(shard, site, {}).value();
    server->start();
    store = store::Store::open({.folder = folder.path() / "store"}).value();
    services = {.store = &store->attach(shard), .client = &client, .sealer = &sealer};
    image_ = publish("a", "1", kModule);
  }
  ~Fixture() { store->stop(); }

  std::string publish(const std::string& name, const std::string& tag, const std::string& module) {
    const std::string image =
        oci::write_image({.config = {.media_type = "c", .digest = oci::digest_of("{}"), .size = 2},
                          .layers = {{.media_type = std::string(oci::kWasmLayer),
                                      .digest = oci::digest_of(module),
                                      .size = module.size()}}});
    put(name, tag, image);
    site.pages["/v2/" + name + "/blobs/" + oci::digest_of(module)] = module;
    return oci::digest_of(image);
  }
  void put(const std::string& name, const std::string& tag, const std::string& document) {
    site.pages["/v2/" + name + "/manifests/" + tag] = document;
    site.pages["/v2/" + name + "/manifests/" + oci::digest_of(document)] = document;
  }
  void sign(const std::string& pem) {
    const auto key = oci::SigningKey::parse(pem, "").value();
    const std::string payload = oci::write_payload(reference(), image_);
    const std::string image =
        oci::write_image({.config = {.media_type = "c", .digest = oci::digest_of("{}"), .size = 2},
                          .layers = {{.media_type = std::string(oci::kSimpleSigning),
                                      .digest = oci::digest_of(payload),
                                      .size = payload.size(),
                                      .annotations = {{std::string(oci::kSignatureAnnotation),
                                                       to_base64(key.sign(payload).value())}}}}});
    put("a", oci::signature_tag(image_), image);
    site.pages["/v2/a/blobs/" + oci::digest_of(payload)] = payload;
  }
  oci::Reference reference() const {
    return oci::parse_reference("127.0.0.1:" + std::to_string(server->port()) + "/a:1").value();
  }
  void set_secret(const TenantName& tenant, std::string_view name, std::string_view text) {
    shard.run_until_done(set(this, tenant, std::string(name), std::string(text)));
  }
  Result<FetchedModule> fetch(const TenantName& tenant, std::uint64_t most = 1000) {
    RegistrySource source({.signed_by = node_keys, .services = {&services}});
    Result<FetchedModule> out = fail(Code::internal);
    shard.run_until_done(run(this, &source, tenant, most, &out));
    return out;
  }

  std::vector<oci::PublicKey> node_keys;
  const std::string& image() const { return image_; }

 private:
  static async::Task<void> set(Fixture* self, TenantName tenant, std::string name,
                               std::string text) {
    store::Transaction transaction(*self->services.store, tenant, {});
    const store::Place place{store::Kind::secret, ""};
    (void)co_await transaction.read(place, name, store::Track::no);
    EXPECT_TRUE(transaction.put(place, name, {.bytes = self->sealer.seal(tenant, name, text)}));
    EXPECT_TRUE(co_await transaction.commit());
  }
  static async::Task<void> run(Fixture* self, RegistrySource* source, TenantName tenant,
                               std::uint64_t most, Result<FetchedModule>* out) {
    *out = co_await source->fetch(self->shard, tenant, self->reference().text(), most);
  }
  std::string image_;
};

TEST(RegistrySource, GivesBytesTheirDigestAndWhatPinsThem) {
  Fixture f;
  const auto module = f.fetch(kAcme);
  ASSERT_TRUE(module) << module.error().message();
  EXPECT_EQ(module->bytes, kModule);
  EXPECT_EQ("sha256:" + module->digest, oci::digest_of(kModule));
  EXPECT_EQ(module->pinned, f.reference().with_digest(f.image()).text());
  EXPECT_EQ(f.fetch(kAcme, 7).error().code(), Code::module_too_large);
  EXPECT_TRUE(RegistrySource({}).takes("oci://ghcr.io/a:1"));
  EXPECT_FALSE(RegistrySource({}).takes("a.wasm"));
}

TEST(RegistrySource, ATenantHasItsOwnLoginAndNobodyElses) {
  Fixture f;
  f.site.wanted = "Basic " + to_base64("ann:pw");
  f.set_secret(kAcme, kRegistrySecret,
               R"({"auths":{"127.0.0.1:)" + std::to_string(f.server->port()) +
                   R"(":{"username":"ann","password":"pw"}}})");
  EXPECT_TRUE(f.fetch(kAcme));
  f.site.shown.clear();
  EXPECT_EQ(f.fetch(kOther).error().code(), Code::unauthenticated);
  EXPECT_THAT(f.site.shown, testing::Each(""));
  f.set_secret(kAcme, kRegistrySecret, "no JSON");
  EXPECT_THAT(f.fetch(kAcme).error().message(), HasSubstr("the secret registry.json"));
}

TEST(RegistrySource, ATenantsPolicyAndTheNodesBothCount) {
  Fixture f;
  f.set_secret(kAcme, kSignersSecret, std::string(oci::kCosignPublic) + oci::kPlainPublic);
  EXPECT_EQ(f.fetch(kAcme).error().code(), Code::not_signed);
  EXPECT_TRUE(f.fetch(kOther));
  f.sign(oci::kPlainKey);
  EXPECT_TRUE(f.fetch(kAcme));
  f.node_keys = {oci::PublicKey::parse(oci::kCosignPublic).value()};
  EXPECT_EQ(f.fetch(kAcme).error().code(), Code::not_signed);
  EXPECT_EQ(f.fetch(kOther).error().code(), Code::not_signed);
  f.node_keys = {oci::PublicKey::parse(oci::kPlainPublic).value()};
  EXPECT_TRUE(f.fetch(kAcme));
  f.set_secret(kAcme, kSignersSecret, "no key");
  EXPECT_THAT(f.fetch(kAcme).error().message(), HasSubstr("the secret trusted-signers.pem"));
}

TEST(RegistrySource, APolicyBindsAllBelowAndALoginOnlyItsOwn) {
  Fixture f;
  const TenantName below("acme/shop");
  f.set_secret(kAcme, kSignersSecret, oci::kPlainPublic);
  EXPECT_EQ(f.fetch(below).error().code(), Code::not_signed);
  EXPECT_TRUE(f.fetch(TenantName("acme2")));
  f.sign(oci::kPlainKey);
  EXPECT_TRUE(f.fetch(below));
  f.set_secret(below, kSignersSecret, oci::kCosignPublic);  // asks for more
  EXPECT_EQ(f.fetch(below).error().code(), Code::not_signed);
  EXPECT_TRUE(f.fetch(kAcme));
  f.site.wanted = "Basic " + to_base64("ann:pw");
  f.set_secret(kAcme, kRegistrySecret,
               R"({"auths":{"127.0.0.1:)" + std::to_string(f.server->port()) +
                   R"(":{"username":"ann","password":"pw"}}})");
  EXPECT_TRUE(f.fetch(kAcme));
  EXPECT_EQ(f.fetch(TenantName("acme/other")).error().code(), Code::unauthenticated);
}

}  // namespace
}  // namespace carrel::app
