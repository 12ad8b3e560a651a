// Whatever is sent as a bundle: refused, or within all bounds and the same when it is read again.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "app/deployment/bundle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carrel;
  const auto json = nlohmann::json::parse(data, data + size, nullptr, false);
  const auto bundle = deployment::read_bundle(json);
  if (!bundle) return 0;
  if (bundle->files.size() > deployment::kMaxFiles || bundle->bytes() > deployment::kMaxBundle)
    std::abort();
  for (const auto& file : bundle->files) {
    if (file.path.starts_with('/') || ("/" + file.path + "/").contains("/../")) std::abort();
  }
  const auto again = deployment::read_bundle(deployment::to_json(*bundle));
  if (!again || again->files != bundle->files) std::abort();
  return 0;
}
