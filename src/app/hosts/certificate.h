// What is known of the certificate of a host name.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"

namespace carrel::hosts {

// Value types.
struct CertificateFailure {
  std::string code;     // an error's name
  std::string message;  // what the ACME server said
  WallTime again;       // when it is asked again
};

struct Certificate {
  enum class From { file, acme };
  struct InUse {
    From from;
    WallTime until;
  };
  std::optional<InUse> used;                  // nothing: there is none for the name
  std::optional<CertificateFailure> failure;  // of the latest order, if it failed
};

}  // namespace carrel::hosts
