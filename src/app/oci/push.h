// Pushing a module: an image with one layer, in the layout that its readers look for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/oci/session.h"
#include "base/clock.h"

namespace carrel::oci {

// cncf: wkg, wasmCloud, Spin, containerd, podman. kubewarden and istio: what those publish; some
// registries refuse the type of cncf's configuration and take these.
enum class Layout : unsigned char { cncf, kubewarden, istio };

// Errors: invalid_argument.
Result<Layout> parse_layout(std::string_view text);

// A component has the names of what it imports and exports in cncf's configuration.
struct Pushed {
  std::string bytes;
  Layout layout = Layout::cncf;
  WallTime created;
  bool component = false;
  std::vector<std::string> imports = {}, exports = {};
};

// The image's configuration, as JSON. Pure.
std::string config_of(const Pushed& pushed);

// Under the reference's tag. Gives the manifest's digest. Errors: those of the registry.
async::Task<Result<std::string>> push_module(Session* session, Pushed pushed);

}  // namespace carrel::oci
