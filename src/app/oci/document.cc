#include "app/oci/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/oci/reference.h"

namespace carrel::oci {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostEntries = 256, kMostAnnotations = 64;
constexpr std::uint64_t kMostBytes = 1ULL << 50;

std::unexpected<Error> bad(std::string_view why) {
  return fail(Code::registry_failed, fmt::format("the image's manifest is not valid: {}", why));
}

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Annotations annotations_of(const Json& object) {
  Annotations all;
  const auto found = object.find("annotations");
  if (found == object.end() || !found->is_object()) return all;
  for (const auto& [name, value] : found->items()) {
    if (all.size() == kMostAnnotations) break;
    if (value.is_string()) all.emplace_back(name, value.get<std::string>());
  }
  return all;
}

Result<Descriptor> read_descriptor(const Json& json) {
  if (!json.is_object()) return bad("a descriptor is no object");
  Descriptor descriptor{.media_type = text_at(json, "mediaType"),
                        .digest = text_at(json, "digest"),
                        .annotations = annotations_of(json)};
  if (!is_digest(descriptor.digest)) return bad("a digest is not SHA-256");
  const auto size = json.find("size");
  if (size == json.end() || !size->is_number_unsigned()) return bad("a size is missing");
  descriptor.size = size->get<std::uint64_t>();
  if (descriptor.size > kMostBytes) return bad("a size is beyond reason");
  if (const auto platform = json.find("platform");
      platform != json.end() && platform->is_object()) {
    descriptor.architecture = text_at(*platform, "architecture");
    descriptor.os = text_at(*platform, "os");
  }
  return descriptor;
}

Result<std::vector<Descriptor>> read_list(const Json& json, const char* key) {
  const auto list = json.find(key);
  if (list == json.end() || !list->is_array()) return bad(fmt::format("it has no `{}`", key));
  if (list->size() > kMostEntries) {
    return bad(fmt::format("`{}` has more than {} entries", key, kMostEntries));
  }
  std::vector<Descriptor> all;
  for (const Json& each : *list) {
    CARREL_TRY(Descriptor descriptor, read_descriptor(each));
    all.push_back(std::move(descriptor));
  }
  return all;
}

Json json_of(const Descriptor& descriptor) {
  Json json{{"mediaType", descriptor.media_type},
            {"digest", descriptor.digest},
            {"size", descriptor.size}};
  for (const auto& [name, value] : descriptor.annotations) json["annotations"][name] = value;
  return json;
}

}  // namespace

std::string_view Descriptor::annotation(std::string_view name) const {
  const auto found = std::ranges::find(annotations, name, &Annotations::value_type::first);
  return found == annotations.end() ? std::string_view() : std::string_view(found->second);
}

Result<Document> parse_document(std::string_view bytes, std::string_view media_type) {
  if (bytes.size() > kMaxDocument) return bad("it is too large");
  const Json json = Json::parse(bytes, nullptr, false);
  if (!json.is_object()) return bad("it is no JSON object");
  const auto version = json.find("schemaVersion");
  if (version == json.end() || !version->is_number_unsigned() || *version != 2U) {
    return bad("its schemaVersion is not 2");
  }
  const std::string own = text_at(json, "mediaType");
  const std::string_view type = own.empty() ? media_type.substr(0, media_type.find(';')) : own;
  // Two readers must not take it for two different things.
  if (json.contains("layers") && json.contains("manifests")) {
    return bad("it is both an image and an index");
  }
  if (type == kOciIndex || type == kDockerIndex) {
    CARREL_TRY(auto manifests, read_list(json, "manifests"));
    return Index{.manifests = std::move(manifests)};
  }
  if (type != kOciManifest && type != kDockerManifest) {
    return bad(fmt::format("its media type is \"{}\"", type));
  }
  const auto config = json.find("config");
  if (config == json.end()) return bad("it has no `config`");
  Image image;
  CARREL_TRY(image.config, read_descriptor(*config));
  CARREL_TRY(image.layers, read_list(json, "layers"));
  return image;
}

std::string write_image(const Image& image) {
  Json json{{"schemaVersion", 2},
            {"mediaType", kOciManifest},
            {"config", json_of(image.config)},
            {"layers", Json::array()}};
  for (const Descriptor& layer : image.layers) json["layers"].push_back(json_of(layer));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace carrel::oci
