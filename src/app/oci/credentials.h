// Who we are to registries: the file that `docker login`, `podman login` and `oras login` write.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/oci/reference.h"
#include "base/result.h"

namespace carrel::oci {

struct Login {
  std::string user, password;
  std::string identity_token;  // in place of both, for a token service
};

// Value type. Registries by host, or by host and the beginning of a name.
class Credentials {
 public:
  static constexpr std::size_t kMostBytes = 1 << 20;

  Credentials() = default;
  // The text of a config.json. Errors: invalid_config.
  static Result<Credentials> parse(std::string_view text);

  // The most specific one; nothing: the registry is asked without.
  std::optional<Login> find(const Reference& reference) const;
  // The program that keeps this registry's login, if one does: this build starts none.
  std::optional<std::string> helper_of(const Reference& reference) const;

 private:
  std::vector<std::pair<std::string, Login>> logins_;  // "ghcr.io", "ghcr.io/team"
  std::vector<std::pair<std::string, std::string>> helpers_;
  std::string every_other_;
};

}  // namespace carrel::oci
