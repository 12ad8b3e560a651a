// What ACME leaves on disk, in a folder that only this user may enter: the account's key, and
// NAME.pem for each name - its chain, then its key, so that both change at once.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "acme/key.h"
#include "acme/schedule.h"
#include "base/result.h"

namespace carrel::acme {

// Immutable; one process at a time writes there. Blocks.
class Folder {
 public:
  // Makes what is missing. Errors: io; permission_denied when others may enter it.
  static Result<Folder> open(std::filesystem::path folder);

  // Where the names' files are.
  std::filesystem::path certificates() const { return folder_ / "certificates"; }

  // The account's key, made if there is none. Errors: io; data_corrupt; unavailable.
  Result<Key> account() const;

  // How long the certificate kept for the name is good. Nothing: there is none that can be used.
  std::optional<Lifetime> lifetime(std::string_view host) const;

  // Keeps a new one, if it is for this name and this key and good by now; a damaged one replaces
  // nothing. Errors: egress_bad_response; io.
  Result<Lifetime> keep(std::string_view host, std::string_view chain, const Key& key,
                        WallTime now) const;

 private:
  explicit Folder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path file_of(std::string_view host) const;
  std::filesystem::path folder_;
};

}  // namespace carrel::acme
