// No response makes the reader read past it, and what it gives holds together.
#include <cstdlib>

#include "net/client_message.h"
#include "net/parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carrel::net;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto response = parse_response_head(bytes, "GET");
  if (!response) return 0;
  const int status = response->head.status;
  if (status < 100 || status > 599 || status == 101) std::abort();
  if (response->keep_alive && response->body == BodyKind::until_close) std::abort();
  if ((response->body == BodyKind::length) != (response->length > 0)) {
    if (response->body != BodyKind::none) std::abort();
  }
  for (const auto& [name, value] : response->head.headers) {
    if (!is_field_name(name) || !is_field_value(value)) std::abort();
    if (same_name(name, "connection") || same_name(name, "transfer-encoding")) std::abort();
  }
  return 0;
}
