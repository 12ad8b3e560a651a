#include "app/fetch_sources.h"

#include <fmt/format.h>

namespace carrel::app {

std::vector<Error> fetch_sources(Manifest& manifest, oci::Sources& sources) {
  std::vector<Error> errors;
  for (Module& module : manifest.modules) {
    if (!module.image) continue;
    auto fetched = sources.fetch(*module.image);
    if (!fetched) {
      errors.push_back(
          std::move(fetched).error().within(fmt::format("module \"{}\"", module.name.str())));
      continue;
    }
    if (module.image->digest.empty()) {
      manifest.notices.push_back(fmt::format(
          "module \"{}\": what the tag names may change; to pin it, write source = \"{}\"",
          module.name.str(), fetched->pinned.text()));
    }
    module.source = std::move(fetched->file);
    module.image = std::move(fetched->pinned);
  }
  return errors;
}

}  // namespace carrel::app
