#include "app/deployment/pack.h"

#include <fmt/format.h>
#include <sodium.h>

#include <fstream>
#include <set>

#include "app/problems.h"

namespace carrel::deployment {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> wrong(const fs::path& path, std::string_view why, std::string help) {
  return fail(Code::invalid_argument, fmt::format("{} {}", app::in_quotes(path.native()), why),
              std::move(help));
}

std::unexpected<Error> unreadable(const fs::path& path) {
  return fail(Code::io, fmt::format("cannot read {}", app::in_quotes(path.native())));
}

// Hands on a file's bytes, a part at a time; gives its size.
template <typename Take>
Result<std::uint64_t> each_part(const fs::path& path, Take take) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return unreadable(path);
  std::uint64_t size = 0;
  std::string part(store::kPartBytes, '\0');
  while (in) {
    in.read(part.data(), static_cast<std::streamsize>(part.size()));
    const auto n = static_cast<std::size_t>(in.gcount());
    if (n == 0) break;
    size += n;
    if (size > kMaxFile) {
      return wrong(path, fmt::format("has more than {} bytes", kMaxFile),
                   "leave it out of the app, or serve it from elsewhere");
    }
    take(std::string_view(part).substr(0, n));
  }
  if (in.bad()) return unreadable(path);
  return size;
}

class Packer {
 public:
  explicit Packer(const fs::path& folder) : folder_(folder) {}

  Result<Bundle> pack(const app::Manifest& manifest) {
    CARREL_TRY_VOID(add_file(manifest.file));
    for (const app::Module& module : manifest.modules) {
      if (!module.image) CARREL_TRY_VOID(add_file(module.source));  // else the server fetches it
    }
    for (const app::HookPoint& point : manifest.hooks) {
      for (const fs::path& file : point.files) CARREL_TRY_VOID(add_file(file));
    }
    for (const app::Callback& callback : manifest.callbacks) {
      for (const fs::path& file : callback.files) CARREL_TRY_VOID(add_file(file));
    }
    if (manifest.assets) CARREL_TRY_VOID(add_folder(*manifest.assets, 0));
    for (const app::StaticFolder& each : manifest.statics) {
      CARREL_TRY_VOID(add_folder(each.folder, 0));
      const std::string prefix = each.folder.lexically_relative(folder_).generic_string() + "/";
      const auto first = names_.lower_bound(prefix);
      if (first == names_.end() || !first->starts_with(prefix))
        return wrong(each.folder, "has no files", "put one in, or take its route away");
    }
    CARREL_TRY_VOID(settle(bundle_));
    return std::move(bundle_);
  }

 private:
  // What links lead to must be in the folder, or the bundle would hold what nobody put there.
  Result<void> check_inside(const fs::path& path) {
    std::error_code error;
    if (real_.empty()) real_ = fs::canonical(folder_, error);
    const fs::path real = fs::canonical(path, error);
    if (error) return unreadable(path);
    const auto [end, at] = std::mismatch(real_.begin(), real_.end(), real.begin(), real.end());
    if (end == real_.end()) return {};
    return wrong(path, "leads out of the app's folder",
                 "copy what it leads to into the folder, or remove the link");
  }

  Result<void> add_file(const fs::path& path) {
    const std::string name = path.lexically_relative(folder_).generic_string();
    if (!names_.insert(name).second) return {};
    CARREL_TRY_VOID(check_path(name));
    CARREL_TRY_VOID(check_inside(path));
    BundleFile file{.path = name};
    crypto_hash_sha256_state whole;
    crypto_hash_sha256_init(&whole);
    CARREL_TRY(file.size, each_part(path, [&](std::string_view part) {
                 crypto_hash_sha256_update(
                     &whole, reinterpret_cast<const unsigned char*>(part.data()), part.size());
                 file.parts.push_back(store::hash_of_part(part));
               }));
    crypto_hash_sha256_final(&whole, file.digest.data());
    bundle_.files.push_back(std::move(file));
    if (bundle_.files.size() <= kMaxFiles) return {};
    return wrong(folder_, fmt::format("holds more than {} files", kMaxFiles),
                 "leave out what the app does not use");
  }

  Result<void> add_folder(const fs::path& folder, unsigned depth) {
    constexpr unsigned kDeepest = 64;
    if (depth > kDeepest) return wrong(folder, "is too deep", "a link may lead in a circle");
    CARREL_TRY_VOID(check_inside(folder));
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      std::error_code none;
      const fs::file_status status = at->status(none);
      if (fs::is_directory(status)) {
        CARREL_TRY_VOID(add_folder(at->path(), depth + 1));
      } else if (fs::is_regular_file(status)) {
        CARREL_TRY_VOID(add_file(at->path()));
      } else {
        return wrong(at->path(), "is neither a file nor a folder", "remove it");
      }
    }
    if (error) return unreadable(folder);
    return {};
  }

  const fs::path folder_;
  fs::path real_;
  std::set<std::string> names_;
  Bundle bundle_;
};

}  // namespace

Result<PackedApp> pack(const fs::path& folder) {
  CARREL_TRY(app::Manifest manifest, app::load_manifest(folder));
  if (manifest.file.filename() != kManifestName) {
    return wrong(manifest.file, "is not called carrel.toml", "name the app's folder");
  }
  CARREL_TRY_VOID(app::check_deployable(manifest));
  CARREL_TRY(Bundle bundle, Packer(manifest.folder).pack(manifest));
  return PackedApp{.manifest = std::move(manifest), .bundle = std::move(bundle)};
}

Result<std::string> read_part(const fs::path& folder, const BundleFile& file, std::size_t index) {
  const fs::path path = folder / file.path;
  std::ifstream in(path, std::ios::binary);
  std::string bytes(store::kPartBytes, '\0');
  in.seekg(static_cast<std::streamoff>(index * store::kPartBytes));
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad() || bytes.empty()) return unreadable(path);
  if (store::hash_of_part(bytes) == file.parts[index]) return bytes;
  return fail(Code::unavailable,
              fmt::format("{} changed while it was deployed", app::in_quotes(path.native())),
              "deploy again when the build is done");
}

}  // namespace carrel::deployment
