#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/operation.h"
#include "api/state_path.h"
#include "capability/state/names.h"

// Whatever is read of a path is within its limits, and means the same once it is written back.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace api = carrel::api;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)api::find_operation(api::all_operations(), "GET", text);
  (void)api::read_ttl(text);
  if (const auto query = api::read_list_query(text); query && query->limit > 1000) __builtin_trap();
  const auto read = api::read_state_path(api::Thing::value, text);
  if (!read) return 0;
  const auto again = api::read_state_path(
      api::Thing::value, read->store + "/" + carrel::capability::state::path_of(read->name));
  if (!again || again->name != read->name || again->store != read->store) __builtin_trap();
  return 0;
}
