// The desk for host names of tenants' own: proves them, and has the shards serve them.
//
// What is served is what the store says: after each change the name's record is read again, and the
// newest reading counts.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/hosts/desk.h"
#include "server/host_certificates.h"
#include "server/switchboard.h"
#include "store/store.h"
#include "turn/state.h"

namespace carrel::server {

struct HostDeskOptions {
  std::vector<std::string> reserved;  // domains of the operator's own: nobody claims names in them
  std::optional<net::DnsServer> dns;  // nothing: the system's
};

// Owner: the composition root; goes before the shard. Thread: the API's shard, whose services these
// are; `restore` before it runs.
class HostDesk final : public hosts::Desk {
 public:
  HostDesk(const NodeKey& key, const turn::Services& services, store::Store& store,
           Switchboard& switchboard, HostDeskOptions options);

  // At the start: serves what is proven. Gives how many records are damaged. Blocks. Errors: those
  // of the store.
  Result<std::size_t> restore();
  // Before the shard runs: names are served over TLS.
  void know(std::unique_ptr<const HostCertificates> certificates) {
    certificates_ = std::move(certificates);
  }

  Result<void> check_free(std::string_view host) const override;
  hosts::Challenge challenge(const TenantName& tenant, std::string_view host) const override {
    return challenges_.of(tenant, host);
  }
  async::Task<Result<void>> prove(TenantName tenant, std::string host) override;
  async::Task<Result<void>> serve(std::string host) override;
  Result<hosts::AllProven> proven() const override;
  std::optional<hosts::Certificate> certificate(std::string_view host) const override {
    return certificates_ ? std::optional(certificates_->of(host)) : std::nullopt;
  }

 private:
  // How many proofs are being looked for. It outlives this for the tasks that end after it.
  struct Looking {
    unsigned all = 0;
    std::map<TenantName, unsigned> of_tenant;
  };
  class Place;

  const hosts::Challenges challenges_;
  const turn::Services& services_;
  store::Store& store_;
  Switchboard& switchboard_;
  const HostDeskOptions options_;
  net::Dns dns_;
  std::unique_ptr<const HostCertificates> certificates_;
  std::shared_ptr<Looking> looking_ = std::make_shared<Looking>();
};

}  // namespace carrel::server
