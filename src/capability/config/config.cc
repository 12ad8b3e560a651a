#include "capability/config/config.h"

#include <utility>

#include "wasi/names.h"
#include "wasi/read_only_tree.h"

namespace carrel::capability::config {

std::shared_ptr<wasi::Node> mount(const std::map<std::string, std::string>& settings) {
  wasi::ReadOnlyTree::Builder files;
  for (const auto& [name, value] : settings) {
    if (name.empty()) continue;
    // Encoded names differ and hold no slash, so that none is refused.
    static_cast<void>(
        files.add(wasi::encode_name(name), std::make_shared<const std::string>(value)));
  }
  return std::move(files).build();
}

}  // namespace carrel::capability::config
