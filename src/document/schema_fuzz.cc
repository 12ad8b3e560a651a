// A schema and a document, with a NUL between them: neither ends the process or takes long.
#include <cstdint>

#include "document/schema.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto cut = text.find('\0');
  const auto schema = carrel::document::Schema::compile(text.substr(0, cut));
  if (schema && cut != std::string_view::npos) (void)(*schema)->check(text.substr(cut + 1));
  return 0;
}
