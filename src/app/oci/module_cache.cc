#include "app/oci/module_cache.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/oci/reference.h"
#include "base/files.h"

namespace carrel::oci {
namespace {
namespace fs = std::filesystem;

using Json = nlohmann::json;

constexpr std::uint64_t kMostNote = 64 << 10;

// What a digest has after "sha256:".
std::string hex_of(std::string_view digest) { return std::string(digest.substr(7)); }

Result<void> make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return {};
  return fail(Code::io, fmt::format("cannot make {}: {}", folder.string(), error.message()));
}

}  // namespace

fs::path ModuleCache::image_file(std::string_view image) const {
  return folder_ / "images" / hex_of(image);
}

fs::path ModuleCache::module_file(std::string_view module) const {
  return folder_ / "modules" / (hex_of(module) + ".wasm");
}

std::optional<CachedModule> ModuleCache::find(std::string_view image) const {
  const auto text = read_file(image_file(image), kMostNote);
  const Json json = text ? Json::parse(*text, nullptr, false) : Json();
  if (!json.is_object() || !json.contains("module") || !json["module"].is_string()) return {};
  CachedModule cached{.module = json["module"].get<std::string>()};
  if (!is_digest(cached.module)) return {};
  cached.file = module_file(cached.module);
  const auto bytes = read_file(cached.file, kMaxModule);
  if (!bytes || digest_of(*bytes) != cached.module) return {};
  if (!json.contains("signed_by") || !json["signed_by"].is_array()) return cached;
  for (const Json& id : json["signed_by"]) {
    if (id.is_string()) cached.key_ids.push_back(id.get<std::string>());
  }
  return cached;
}

Result<NewFile> ModuleCache::make() const {
  CARREL_TRY_VOID(make_folder(folder_ / "modules"));
  return NewFile::make(folder_ / "modules" / "new.wasm");
}

Result<CachedModule> ModuleCache::keep(NewFile file, const Pulled& pulled,
                                       std::vector<std::string> key_ids) {
  CachedModule cached{
      .file = module_file(pulled.module), .module = pulled.module, .key_ids = std::move(key_ids)};
  CARREL_TRY_VOID(file.keep_as(cached.file));
  CARREL_TRY_VOID(note(pulled.image, cached));
  return cached;
}

Result<void> ModuleCache::note(std::string_view image, const CachedModule& cached) {
  CARREL_TRY_VOID(make_folder(folder_ / "images"));
  CARREL_TRY(NewFile file, NewFile::make(image_file(image)));
  const Json json{{"module", cached.module}, {"signed_by", cached.key_ids}};
  CARREL_TRY_VOID(file.write(json.dump() + "\n"));
  return file.keep();
}

}  // namespace carrel::oci
