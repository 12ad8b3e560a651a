// A bundle: which files a version of an app is made of, by path and by what they hold.
//
// It comes from whoever deploys and is believed in nothing: paths stay below the app's folder,
// sizes are bounded, digests are compared when the files are put together (unpack.h). Two bundles
// of the same files have the same digest, whoever packed them.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/parts.h"

namespace carrel::deployment {

inline constexpr std::size_t kMaxFiles = 8192;
inline constexpr std::uint64_t kMaxFile = 64ULL << 20;     // bytes
inline constexpr std::uint64_t kMaxBundle = 256ULL << 20;  // bytes of all files
inline constexpr std::size_t kMaxPath = 512;               // bytes
inline constexpr std::string_view kManifestName = "carrel.toml";
inline constexpr std::string_view kOwnFolder = ".carrel";  // of a version: what the server adds

struct BundleFile {
  std::string path;  // relative, with '/' between its parts
  std::uint64_t size = 0;
  store::PartHash digest{};            // SHA-256 of the file
  std::vector<store::PartHash> parts;  // of 1 MiB but for the last; of a short file, its digest
  bool operator==(const BundleFile&) const = default;
};

// Value type. Files in the order of their paths.
struct Bundle {
  std::vector<BundleFile> files;

  const BundleFile* find(std::string_view path) const;
  std::uint64_t bytes() const;
  // SHA-256, hexadecimal, of "DIGEST SIZE PATH\n" for each file, and " PART\n" for each part of one
  // that has several.
  std::string digest() const;
};

// "assets/logo.svg": parts that are neither empty nor "." nor "..", no control characters, no
// backslashes. Errors: invalid_argument.
Result<void> check_path(std::string_view path);

// Of a JSON array [{"path", "size", "sha256", "parts"}]; `parts` only of files over 1 MiB. Errors:
// invalid_argument naming what is wrong first; nothing may be in kOwnFolder.
Result<Bundle> read_bundle(const nlohmann::json& files);
// The same of what `to_json` has written: bounds are not looked at again.
Result<Bundle> read_settled(const nlohmann::json& files);
nlohmann::json to_json(const Bundle& bundle);

// All bounds, of a bundle made here as well. Sorts the files. Errors: invalid_argument.
Result<void> settle(Bundle& bundle);

// 64 hexadecimal digits, lower-case. Errors: invalid_argument.
Result<store::PartHash> read_hash(std::string_view text);
std::string hash_text(const store::PartHash& hash);

}  // namespace carrel::deployment
