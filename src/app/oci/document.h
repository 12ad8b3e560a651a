// What a registry keeps under a tag or a digest: an image's manifest, or an index of several.
//
// OCI's and Docker's forms are read alike. Strictly bounded; nothing here is believed beyond what a
// digest covers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace carrel::oci {

inline constexpr std::size_t kMaxDocument = 4 << 20;

inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kDockerManifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerIndex =
    "application/vnd.docker.distribution.manifest.list.v2+json";

using Annotations = std::vector<std::pair<std::string, std::string>>;

// Bytes by their digest. `architecture` and `os` are an index's word for what it names.
struct Descriptor {
  std::string media_type, digest;
  std::uint64_t size = 0;
  Annotations annotations = {};
  std::string architecture = {}, os = {};

  std::string_view annotation(std::string_view name) const;  // or empty
};

struct Image {
  Descriptor config;
  std::vector<Descriptor> layers;
};

struct Index {
  std::vector<Descriptor> manifests;
};

using Document = std::variant<Image, Index>;

// `media_type` is what the registry said; the document's own word goes first. Pure; any thread.
// Errors: registry_failed, saying what is wrong with it.
Result<Document> parse_document(std::string_view bytes, std::string_view media_type);

// As a registry takes it; the media type is kOciManifest.
std::string write_image(const Image& image);

}  // namespace carrel::oci
