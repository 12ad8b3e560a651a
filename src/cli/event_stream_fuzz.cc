#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cli/event_stream.h"

// A stream has the same events whether it comes at once or byte by byte.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  carrel::cli::EventStream whole, pieces;
  const auto at_once = whole.take(text);
  std::size_t seen = 0;
  for (std::size_t i = 0; i < size; ++i) {
    for (const auto& event : pieces.take(text.substr(i, 1))) {
      if (seen == at_once.size() || event.name != at_once[seen].name ||
          event.data != at_once[seen].data)
        __builtin_trap();
      ++seen;
    }
  }
  if (seen != at_once.size()) __builtin_trap();
  return 0;
}
