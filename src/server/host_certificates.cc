#include "server/host_certificates.h"

#include <filesystem>

namespace carrel::server {

hosts::Certificate HostCertificates::of(std::string_view host) const {
  using From = hosts::Certificate::From;
  hosts::Certificate known;
  if (const auto used = net::certificate_for(*tls_, host)) {
    const bool ordered = std::filesystem::path(used->file).parent_path() == acme_folder_;
    known.used = {.from = ordered ? From::acme : From::file, .until = used->until};
  }
  if (acme_ != nullptr) known.failure = acme_->failure(host);
  return known;
}

}  // namespace carrel::server
