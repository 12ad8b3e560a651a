// What others send as traceparent and tracestate, one line each: what is taken can be said again.
#include <cstdlib>

#include "observe/trace_context.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(text.find('\n'), size);
  const auto read =
      carrel::observe::parse_trace(text.substr(0, end), text.substr(std::min(end + 1, size)));
  if (!read) return 0;
  const auto again = carrel::observe::parse_trace(read->traceparent(), read->state);
  if (!again || again->traceparent() != read->traceparent() || again->state != read->state)
    std::abort();
  return 0;
}
