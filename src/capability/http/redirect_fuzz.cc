// Wherever a response sends a call, what comes next is a URL that would be read the same again, and
// another host is told no header that it must not see.
#include <cstdlib>

#include "capability/http/redirect.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const carrel::net::OutgoingRequest kMade{
      .url = carrel::net::parse_url("https://a.test/b/c?d").value(),
      .headers = {{"Authorization", "secret"}, {"Accept", "*/*"}},
      .body = {}};
  const auto next =
      carrel::capability::http::follow(kMade, 307, {reinterpret_cast<const char*>(data), size});
  if (!next) return 0;
  const auto again = carrel::net::parse_url(next->url.text());
  if (!again || *again != next->url) std::abort();
  const bool same =
      next->url.scheme == "https" && next->url.host == "a.test" && next->url.port == kMade.url.port;
  if (next->headers.size() != (same ? 2U : 1U)) std::abort();
  return 0;
}
