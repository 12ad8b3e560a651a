// Registries as commands and deployments use them: one call, which blocks.
//
// Owns a shard and the two clients that the policy asks for: one for the registries that are named,
// one for where they send us.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/oci/pull.h"
#include "app/oci/push.h"
#include "app/oci/signature.h"
#include "net/client.h"

namespace carrel::oci {

// Where the registries that are named may be: anywhere, as whoever typed the name may call, or only
// where the policy lets others be called as well.
enum class NamedHosts : unsigned char { anywhere, by_policy };

struct RegistriesOptions {
  net::EgressPolicy policy = {};
  NamedHosts named = NamedHosts::by_policy;
  std::string ca_file = {};                  // whom to believe; empty: the system's roots
  std::vector<std::string> plain_http = {};  // registries without TLS, besides loopback's
  Credentials credentials = {};
  TenantName tenant = TenantName("carrel");  // on whose behalf
  std::chrono::milliseconds stall{30'000};
};

// Owner and thread: the command's, or the deployment's; one call at a time. Stops: between calls.
class Registries {
 public:
  // Errors: invalid_config for roots that cannot be read.
  static Result<std::unique_ptr<Registries>> make(RegistriesOptions options);
  ~Registries();
  Registries(const Registries&) = delete;
  Registries& operator=(const Registries&) = delete;

  // See pull.h, push.h and signature.h.
  Result<Pulled> pull(const Reference& reference, std::string layer, Sink& into);
  Result<std::string> push(const Reference& reference, Pushed pushed);
  Result<Verified> sign(const Reference& reference, const SigningKey& key);
  Result<Verified> verify(const Reference& reference, const std::vector<PublicKey>& keys);
  // What the reference's tag names now. Errors: those of the registry.
  Result<std::string> resolve(const Reference& reference);

 private:
  explicit Registries(RegistriesOptions options, std::shared_ptr<net::TlsContext> tls);
  Result<std::unique_ptr<Session>> session(const Reference& reference, Access access);

  RegistriesOptions options_;
  async::Shard shard_;
  std::unique_ptr<net::Client> named_, elsewhere_;
};

}  // namespace carrel::oci
