// Whatever a guest writes is read or refused, and what is read stays within what was written.
#include <cstdlib>

#include "capability/http/message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto request =
      carrel::capability::http::read_request({reinterpret_cast<const char*>(data), size});
  if (!request) return 0;
  std::size_t bytes = request->method.size() + request->body.size();
  for (const auto& [name, value] : request->headers) {
    if (value.contains('\n') || name.contains(':') || name.contains('\n')) std::abort();
    bytes += name.size() + value.size();
  }
  if (bytes > size || request->url.port == 0) std::abort();
  return 0;
}
