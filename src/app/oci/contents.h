// Where in an image the module is: the layouts that are found in registries.
//
//   raw     a layer of one of the Wasm types: wkg, wasmCloud, Spin, Kubewarden, Istio
//   packed  tar layers, of `docker build` and the like ("compat"): plugin.wasm, or the only *.wasm
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/oci/document.h"
#include "base/result.h"

namespace carrel::oci {

inline constexpr std::string_view kWasmLayer = "application/wasm";
inline constexpr std::string_view kKubewardenLayer = "application/vnd.wasm.content.layer.v1+wasm";
inline constexpr std::string_view kIstioLayer = "application/vnd.module.wasm.content.layer.v1+wasm";

// Of an index, what is for Wasm: a core module's before a component's. Errors: invalid_module.
Result<Descriptor> choose_platform(const Index& index);

enum class Packing : unsigned char { raw, packed };

struct Contents {
  Packing packing = Packing::raw;
  std::vector<Descriptor> layers;  // raw: the one; packed: those to look into, in this order
};

// `wanted`: the digest of the raw layer to take of several; empty: there must be one only.
// Errors: invalid_module naming the layers there are.
Result<Contents> choose_layers(const Image& image, std::string_view wanted);

// Of all layers of an image together, whatever is in them.
inline constexpr std::uint64_t kMaxUnpacked = 512ULL << 20;

// The module in a tar archive, which may be compressed with gzip; at most `most` bytes. `left`:
// what may still be unpacked of the image; what this archive takes goes off. Nothing is written
// anywhere. Empty: there is none. Errors: invalid_module (damaged, several modules),
// module_too_large.
Result<std::string> unpack_module(std::string_view archive, std::size_t most, std::uint64_t* left);

}  // namespace carrel::oci
