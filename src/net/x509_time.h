// Times of certificates.
#pragma once

#include <openssl/asn1.h>

#include <optional>

#include "base/clock.h"

namespace carrel::net {

// Pure; any thread. Nothing: it is none.
std::optional<WallTime> time_of(const ASN1_TIME* time);

}  // namespace carrel::net
