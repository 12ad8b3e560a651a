#include "app/deployment/bundle.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/problems.h"
#include "base/digest.h"
#include "base/utf8.h"
#include "store/part_names.h"

namespace carrel::deployment {
namespace {

using Json = nlohmann::json;

std::unexpected<Error> wrong(std::string what) {
  return fail(Code::invalid_argument, std::move(what));
}

std::size_t parts_of(std::uint64_t size) {
  return static_cast<std::size_t>((size + store::kPartBytes - 1) / store::kPartBytes);
}

Result<void> read_parts(const Json& json, BundleFile& file) {
  if (!json.is_array() || json.size() != parts_of(file.size)) {
    return wrong(fmt::format("{}: {} parts are needed for {} bytes", app::in_quotes(file.path),
                             parts_of(file.size), file.size));
  }
  for (const Json& each : json) {
    if (!each.is_string()) return wrong("a part is named by its SHA-256");
    CARREL_TRY(const auto hash, read_hash(each.get_ref<const std::string&>()));
    file.parts.push_back(hash);
  }
  return {};
}

Result<BundleFile> read_file(const Json& json) {
  constexpr std::string_view kForm =
      R"(a file is {"path", "size", "sha256"}, and "parts" if large)";
  const auto has = [&json](const char* key) { return json.contains(key) ? 1U : 0U; };
  if (!json.is_object() || has("path") + has("size") + has("sha256") + has("parts") != json.size())
    return wrong(std::string(kForm));
  if (!has("path") || !json["path"].is_string() || !has("size") ||
      !json["size"].is_number_unsigned() || !has("sha256") || !json["sha256"].is_string()) {
    return wrong(std::string(kForm));
  }
  BundleFile file{.path = json["path"].get<std::string>(),
                  .size = json["size"].get<std::uint64_t>()};
  CARREL_TRY_VOID(check_path(file.path));
  if (file.size > kMaxFile) {
    return wrong(fmt::format("{} has {} bytes; a file has at most {}", app::in_quotes(file.path),
                             file.size, kMaxFile));
  }
  CARREL_TRY(file.digest, read_hash(json["sha256"].get_ref<const std::string&>()));
  if (file.size > store::kPartBytes) {
    if (!has("parts")) return std::unexpected(read_parts(Json::array(), file).error());
    CARREL_TRY_VOID(read_parts(json["parts"], file));
  } else {
    if (has("parts"))
      return wrong(fmt::format("{} is one part: leave out \"parts\"", app::in_quotes(file.path)));
    if (file.size > 0) file.parts = {file.digest};
  }
  return file;
}

// "a" and "a/b" cannot both be files.
Result<void> check_folders(const Bundle& bundle) {
  for (const BundleFile& file : bundle.files) {
    for (auto slash = file.path.find('/'); slash != std::string::npos;
         slash = file.path.find('/', slash + 1)) {
      const auto folder = std::string_view(file.path).substr(0, slash);
      if (bundle.find(folder) == nullptr) continue;
      return wrong(fmt::format("{} is a file, and a folder for {}", app::in_quotes(folder),
                               app::in_quotes(file.path)));
    }
  }
  return {};
}

}  // namespace

const BundleFile* Bundle::find(std::string_view path) const {
  const auto found = std::ranges::lower_bound(files, path, {}, &BundleFile::path);
  return found != files.end() && found->path == path ? &*found : nullptr;
}

std::uint64_t Bundle::bytes() const {
  std::uint64_t sum = 0;
  for (const BundleFile& file : files) sum += file.size;
  return sum;
}

std::string Bundle::digest() const {
  std::string text;
  for (const BundleFile& file : files) {
    text += fmt::format("{} {} {}\n", hash_text(file.digest), file.size, file.path);
    if (file.size <= store::kPartBytes) continue;
    for (const auto& part : file.parts) text += fmt::format(" {}\n", hash_text(part));
  }
  return sha256_hex(text);
}

Result<void> check_path(std::string_view path) {
  constexpr std::size_t kMaxSegment = 255, kMaxDepth = 32;
  const auto refuse = [path](std::string_view why) {
    return wrong(fmt::format("the path {} {}", app::in_quotes(path.substr(0, kMaxPath)), why));
  };
  if (path.empty() || path.size() > kMaxPath)
    return refuse(fmt::format("has {} bytes; 1 to {} are allowed", path.size(), kMaxPath));
  if (!is_utf8(path)) return refuse("is not UTF-8");
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f' || c == '\\')
      return refuse("has a control character or a backslash");
  }
  if (std::ranges::count(path, '/') >= static_cast<std::ptrdiff_t>(kMaxDepth))
    return refuse(fmt::format("has more than {} parts", kMaxDepth));
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto segment = path.substr(at, end - at);
    if (segment.empty() || segment == "." || segment == "..")
      return refuse("has an empty, \".\" or \"..\" part; it is to stay below the app's folder");
    if (segment.size() > kMaxSegment) return refuse("has a part of more than 255 bytes");
    at = end + 1;
  }
  return {};
}

Result<void> settle(Bundle& bundle) {
  if (bundle.files.size() > kMaxFiles) {
    return wrong(fmt::format("{} files; an app has at most {}", bundle.files.size(), kMaxFiles));
  }
  std::ranges::sort(bundle.files, {}, &BundleFile::path);
  const auto twice = std::ranges::adjacent_find(bundle.files, {}, &BundleFile::path);
  if (twice != bundle.files.end())
    return wrong(fmt::format("{} is there twice", app::in_quotes(twice->path)));
  if (bundle.bytes() > kMaxBundle) {
    return wrong(fmt::format("{} bytes in all; an app has at most {}", bundle.bytes(), kMaxBundle));
  }
  if (bundle.find(kManifestName) == nullptr)
    return wrong("there is no carrel.toml among the files");
  return check_folders(bundle);
}

Result<Bundle> read_settled(const Json& files) {
  if (!files.is_array()) return wrong("\"files\" is an array");
  Bundle bundle;
  bundle.files.reserve(files.size());
  for (const Json& each : files) {
    CARREL_TRY(auto file, read_file(each));
    bundle.files.push_back(std::move(file));
  }
  return bundle;
}

Result<Bundle> read_bundle(const Json& files) {
  if (files.is_array() && files.size() > kMaxFiles)
    return wrong(fmt::format("{} files; an app has at most {}", files.size(), kMaxFiles));
  CARREL_TRY(auto bundle, read_settled(files));
  for (const BundleFile& file : bundle.files) {
    const std::string_view first = std::string_view(file.path).substr(0, file.path.find('/'));
    if (first != kOwnFolder) continue;
    return wrong(fmt::format("{} is in {}, where the server keeps what it fetches",
                             app::in_quotes(file.path), kOwnFolder));
  }
  CARREL_TRY_VOID(settle(bundle));
  return bundle;
}

Json to_json(const Bundle& bundle) {
  Json files = Json::array();
  for (const BundleFile& file : bundle.files) {
    Json json = {{"path", file.path}, {"size", file.size}, {"sha256", hash_text(file.digest)}};
    if (file.size > store::kPartBytes) {
      for (const auto& part : file.parts) json["parts"].push_back(hash_text(part));
    }
    files.push_back(std::move(json));
  }
  return files;
}

Result<store::PartHash> read_hash(std::string_view text) {
  const auto hash = store::unhex(text);
  // One spelling each: digests are compared as text, too.
  if (!hash || store::hex(*hash) != text) return wrong("a SHA-256 is written as 64 of 0-9 and a-f");
  return *hash;
}

std::string hash_text(const store::PartHash& hash) { return store::hex(hash); }

}  // namespace carrel::deployment
