// What is read as a URL is written as one that reads the same, and holds no byte that could end a
// line of a request.
#include <algorithm>
#include <cstdlib>

#include "net/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using carrel::net::parse_url;
  const auto url = parse_url({reinterpret_cast<const char*>(data), size});
  if (!url) return 0;
  const std::string text = url->text();
  const bool clean = std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!clean || url->target.front() != '/' || url->host.empty() || url->port == 0) std::abort();
  // It may have grown by the slash that was not there.
  if (text.size() > carrel::net::kMaxUrl) return 0;
  const auto again = parse_url(text);
  if (!again || *again != *url) std::abort();
  return 0;
}
