// What a server says of itself, whoever it is.
#include "cli/metrics_text.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto read = carrel::cli::MetricsText::parse({reinterpret_cast<const char*>(data), size});
  if (read) (void)read->sum("carrel_turns_total", "result", "ok");
  return 0;
}
