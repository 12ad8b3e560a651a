// Any bytes as a reference: what is accepted is written as it was read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "app/oci/reference.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carrel::oci;
  const auto reference = parse_reference({reinterpret_cast<const char*>(data), size});
  if (!reference) {
    if (reference.error().code() != carrel::Code::invalid_argument) std::abort();
    return 0;
  }
  const auto again = parse_reference(reference->text());
  if (!again || *again != *reference) std::abort();
  if (reference->repository.contains("..") || reference->text().contains(' ')) std::abort();
  return 0;
}
