#include <cstddef>
#include <cstdint>
#include <string_view>

#include "capability/counter/additions.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(
      carrel::capability::counter::parse({reinterpret_cast<const char*>(data), size}));
  return 0;
}
