#include "net/x509_time.h"

#include <time.h>

namespace carrel::net {

std::optional<WallTime> time_of(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

}  // namespace carrel::net
