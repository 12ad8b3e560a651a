// Any bytes as a key's file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "app/oci/keys.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carrel::oci;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto half = PublicKey::parse(text); half && half->verifies("", text)) std::abort();
  const auto key = SigningKey::parse(text, "pw");
  if (key && !key->public_key().verifies("words", key->sign("words").value())) std::abort();
  return 0;
}
