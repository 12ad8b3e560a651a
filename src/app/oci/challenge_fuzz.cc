// Any bytes as a WWW-Authenticate header: bounded, whatever it says.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "app/oci/challenge.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto all = carrel::oci::parse_challenges({reinterpret_cast<const char*>(data), size});
  if (all.size() > 8) std::abort();
  for (const auto& each : all) {
    if (each.scheme.empty() || each.parameters.size() > 16) std::abort();
    for (const auto& [name, value] : each.parameters) {
      if (name.empty() || value.size() > size) std::abort();
    }
  }
  return 0;
}
