// Any bytes as a file of logins.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "app/oci/credentials.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carrel::oci;
  const auto all = Credentials::parse({reinterpret_cast<const char*>(data), size});
  if (!all) {
    if (all.error().code() != carrel::Code::invalid_config) std::abort();
    return 0;
  }
  const Reference reference{.registry = "ghcr.io", .repository = "a/b", .tag = "1"};
  (void)all->find(reference);
  (void)all->helper_of(reference);
  return 0;
}
