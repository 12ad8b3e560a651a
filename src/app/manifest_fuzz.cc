// Any bytes as a carrel.toml, a modules.toml or a case.toml: the first byte chooses.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "app/case.h"
#include "app/manifest.h"
#include "app/wagi.h"

namespace {

// Bad files are bad configuration, and every problem has words.
template <typename T>
void check(const carrel::Result<T>& result) {
  if (result) return;
  if (result.error().code() != carrel::Code::invalid_config || result.error().message().empty())
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      check(carrel::app::parse_manifest(text, "no-such-folder/carrel.toml"));
      break;
    case 1:
      check(carrel::app::parse_wagi(text, "no-such-folder/modules.toml"));
      break;
    default:
      check(carrel::app::parse_case(text, "no-such-folder/case.toml", nullptr));
      break;
  }
  return 0;
}
