// Any bytes as an archive of a layer: a module within bounds, or an error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "app/oci/contents.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMost = 4096;
  std::uint64_t left = 1 << 20;
  const auto module =
      carrel::oci::unpack_module({reinterpret_cast<const char*>(data), size}, kMost, &left);
  if (module && module->size() > kMost) std::abort();
  return 0;
}
