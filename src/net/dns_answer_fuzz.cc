// No DNS answer makes the reader read past it, or give more than it holds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "net/dns_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const unsigned char> message(data, size);
  if (const auto texts = carrel::net::texts_in(message)) {
    std::size_t bytes = 0;
    for (const auto& text : *texts) bytes += text.size();
    if (bytes > size) std::abort();
  }
  const auto addresses = carrel::net::addresses_in(message);
  if (addresses && addresses->size() > carrel::net::kMostDnsRecords) std::abort();
  return 0;
}
