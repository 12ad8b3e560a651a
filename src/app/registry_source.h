// Registries as a module source: each tenant with its own logins, kept as its secrets.
//
// A tenant's secret `registry.json` is a file of logins as `docker login` writes it; its secret
// `trusted-signers.pem` holds public keys, one of which must have signed what it deploys. What the
// node and the tenants above trust comes on top: of each that has some keys, one must have signed
// the module. So a tenant below can ask for more, and never for less. Logins are not inherited.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/module_source.h"
#include "app/oci/credentials.h"
#include "app/oci/keys.h"
#include "turn/state.h"

namespace carrel::app {

struct RegistrySourceOptions {
  std::vector<std::string> plain_http = {};
  std::vector<oci::PublicKey> signed_by = {};  // the node's policy
  // By the shard's index; they outlive the source. Their clients say where registries may be, and
  // may send us.
  std::vector<const turn::Services*> services;
};

// Keeps nothing and shares nothing between tenants. See ModuleSource for owner and threads.
class RegistrySource final : public ModuleSource {
 public:
  explicit RegistrySource(RegistrySourceOptions options) : options_(std::move(options)) {}

  bool takes(std::string_view reference) const override;

  // Errors, besides those of ModuleSource: not_signed, invalid_config for a tenant's secret that
  // cannot be read, unauthenticated, registry_failed.
  async::Task<Result<FetchedModule>> fetch(async::Shard& shard, TenantName tenant,
                                           std::string reference, std::uint64_t most) override;

 private:
  struct Account;
  async::Task<Result<Account>> account_of(const turn::Services* services, TenantName tenant) const;
  static async::Task<Result<void>> add_signers(const turn::Services* services, TenantName tenant,
                                               Account* account);

  RegistrySourceOptions options_;
};

}  // namespace carrel::app
