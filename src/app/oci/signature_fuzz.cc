// Any bytes as a payload that was signed: about this image only if it says so.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "app/oci/signature.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carrel::oci;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const std::string digest = digest_of("image");
  // An escape is one more way to write a digit.
  const bool says = text.contains(digest) || text.contains("\\u");
  if (is_payload_of(text, digest) && !says) std::abort();
  return 0;
}
