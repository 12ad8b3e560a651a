#include "app/oci/contents.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace carrel::oci {
namespace {

constexpr std::array kRawTypes = {kWasmLayer, kKubewardenLayer, kIstioLayer};
constexpr std::array<std::string_view, 4> kTarTypes = {
    "application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar"};

bool is_one_of(std::string_view type, const auto& types) {
  return std::ranges::find(types, type) != types.end();
}

// The lower, the better.
int rank_of(const Descriptor& entry) {
  if (!entry.architecture.starts_with("wasm")) return entry.architecture.empty() ? 2 : 3;
  return entry.os == "wasip2" ? 1 : 0;
}

std::string described(const std::vector<Descriptor>& entries) {
  std::vector<std::string> texts;
  texts.reserve(entries.size());
  for (const Descriptor& each : entries) {
    texts.push_back(fmt::format("{} {}", each.digest, each.media_type));
  }
  return texts.empty() ? "none" : fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace

Result<Descriptor> choose_platform(const Index& index) {
  const auto best = std::ranges::min_element(
      index.manifests,
      [](const Descriptor& a, const Descriptor& b) { return rank_of(a) < rank_of(b); });
  constexpr int kForOtherMachines = 3;
  if (best != index.manifests.end() && rank_of(*best) < kForOtherMachines) return *best;
  return fail(Code::invalid_module,
              fmt::format("none of the image's {} platforms is wasm", index.manifests.size()),
              "this is an image of containers; name one of a Wasm module");
}

Result<Contents> choose_layers(const Image& image, std::string_view wanted) {
  Contents contents;
  for (const Descriptor& layer : image.layers) {
    const bool chosen = wanted.empty() || layer.digest == wanted;
    if (chosen && is_one_of(layer.media_type, kRawTypes)) contents.layers.push_back(layer);
  }
  if (contents.layers.size() == 1 || (!wanted.empty() && !contents.layers.empty())) {
    contents.layers.resize(1);
    return contents;
  }
  if (contents.layers.size() > 1) {
    return fail(
        Code::invalid_module,
        fmt::format("the image has {} modules: {}", contents.layers.size(),
                    described(contents.layers)),
        "`carrel pull --layer DIGEST` takes one of them; push it by itself to use it in an app");
  }
  if (!wanted.empty()) {
    return fail(Code::invalid_module, fmt::format("the image has no module {}", wanted),
                fmt::format("its layers: {}", described(image.layers)));
  }
  contents.packing = Packing::packed;
  std::ranges::copy_if(
      image.layers, std::back_inserter(contents.layers),
      [](const Descriptor& layer) { return is_one_of(layer.media_type, kTarTypes); });
  std::ranges::reverse(contents.layers);  // what a later layer has goes before an earlier one's
  if (!contents.layers.empty()) return contents;
  return fail(
      Code::invalid_module,
      fmt::format("the image has no layer with a module; its layers: {}", described(image.layers)),
      "what `carrel push`, `wkg oci push` and `oras push` of a .wasm make has one");
}

}  // namespace carrel::oci
