#include <cstddef>
#include <cstdint>
#include <string_view>

#include "capability/state/names.h"

// A path that points at a name points at the same one once it is written back.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace state = carrel::capability::state;
  const auto location = state::locate({reinterpret_cast<const char*>(data), size});
  if (!location || !location->inside) return 0;
  const auto again = state::locate(location->store + "/" + state::path_of(location->name));
  if (!again || again->store != location->store || again->name != location->name) __builtin_trap();
  return 0;
}
