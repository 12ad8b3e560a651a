// A line that is read is written as a line that reads the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "store/export_line.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carrel::store;
  const auto line = read_line({reinterpret_cast<const char*>(data), size});
  if (!line) return 0;
  std::string text = write_line(*line);
  if (text.back() != '\n' || text.find('\n') != text.size() - 1) std::abort();
  text.pop_back();
  const auto again = read_line(text);
  if (!again || *again != *line) std::abort();
  return 0;
}
