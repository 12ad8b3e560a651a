// Any bytes as a manifest or index: what is read can be written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "app/oci/contents.h"
#include "app/oci/document.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carrel::oci;
  const auto read = parse_document({reinterpret_cast<const char*>(data), size}, kOciManifest);
  if (!read) {
    if (read.error().code() != carrel::Code::registry_failed) std::abort();
    return 0;
  }
  if (const auto* index = std::get_if<Index>(&*read)) {
    (void)choose_platform(*index);
    return 0;
  }
  const auto& image = std::get<Image>(*read);
  if (const auto contents = choose_layers(image, ""); contents && contents->layers.empty())
    std::abort();
  const auto again = parse_document(write_image(image), "");
  if (!again || std::get<Image>(*again).layers.size() != image.layers.size()) std::abort();
  return 0;
}
