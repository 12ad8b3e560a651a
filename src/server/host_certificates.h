// What is known of host names' certificates: those in use, and what keeps new ones away.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "app/hosts/certificate.h"
#include "net/server.h"
#include "server/acme_unit.h"

namespace carrel::server {

// Owner: the host desk; what it refers to outlives it. Immutable; any thread: it reads what is
// published by those who have it.
class HostCertificates {
 public:
  // `acme`: null: nothing is ordered. `acme_folder`: where its certificates are.
  HostCertificates(std::shared_ptr<const net::TlsContext> tls, const AcmeUnit* acme,
                   std::string acme_folder)
      : tls_(std::move(tls)), acme_(acme), acme_folder_(std::move(acme_folder)) {}

  hosts::Certificate of(std::string_view host) const;

 private:
  const std::shared_ptr<const net::TlsContext> tls_;
  const AcmeUnit* const acme_;
  const std::string acme_folder_;
};

}  // namespace carrel::server
