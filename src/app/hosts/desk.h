// The desk for host names: what the API asks of the server about them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/hosts/certificate.h"
#include "app/hosts/claims.h"
#include "app/hosts/proof.h"

namespace carrel::hosts {

// Owner: the composition root; outlives the API. Thread: the API's shard.
class Desk {
 public:
  virtual ~Desk() = default;

  // Whether tenants may claim it: it is not of the operator's own. Errors: in_use.
  virtual Result<void> check_free(std::string_view host) const = 0;
  virtual Challenge challenge(const TenantName& tenant, std::string_view host) const = 0;

  // Errors: those of look_for_proof; too_many_requests: as many are looked for already.
  virtual async::Task<Result<void>> prove(TenantName tenant, std::string host) = 0;

  // Serves the name as the store has it by now: by the app whose it is, or not at all. Returns when
  // every request that begins from then on is answered so. Errors: those of the store.
  virtual async::Task<Result<void>> serve(std::string host) = 0;

  // All proven names. Blocks for a moment. Errors: those of the store.
  virtual Result<AllProven> proven() const = 0;

  // Nothing: this server serves without TLS.
  virtual std::optional<Certificate> certificate(std::string_view host) const = 0;
};

}  // namespace carrel::hosts
