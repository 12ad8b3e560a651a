// A customer's binding as it is sent, and as the store has it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "patterns/hook/binding_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carrel;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const TenantName below("acme/m1");
  (void)hook::decode_binding(text, below);
  const auto record = hook::read_binding(nlohmann::json::parse(text, nullptr, false), below);
  if (!record) return 0;
  // What was taken is what is kept.
  const auto kept = hook::decode_binding(encode(*record), below);
  if (!kept || encode(*kept) != encode(*record)) std::abort();
  return 0;
}
