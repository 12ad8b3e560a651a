#include "store/check_accounts.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/record.h"

namespace carrel::store {
namespace {

// Names may hold anything: shown without what a terminal would take as a command.
std::string shown(std::string_view bytes) {
  std::string out;
  for (const char c : bytes.substr(0, 100)) {
    out += c >= ' ' && c <= '~' ? std::string(1, c)
                                : fmt::format("\\x{:02x}", static_cast<std::uint8_t>(c));
  }
  return out;
}

std::string shown(const Key& key) {
  return fmt::format("'{}' (kind {}, store '{}', tenant '{}')", shown(key.name),
                     shown(std::string(1, static_cast<char>(key.kind))), shown(key.store),
                     shown(key.tenant));
}

std::string shown(const PartHash& hash) {
  std::string out;
  for (const auto byte : hash) out += fmt::format("{:02x}", byte);
  return out;
}

}  // namespace

void CheckAccounts::problem(std::string text) {
  constexpr std::size_t kKept = 100;
  ++report_.problems;
  if (report_.first.size() < kKept) report_.first.push_back(std::move(text));
}

void CheckAccounts::add(std::string_view bytes, std::string_view value) {
  const auto key = decode(bytes);
  if (!key) return problem(fmt::format("a key cannot be understood: {}", shown(bytes)));
  if (tenants_.emplace(key->tenant).second) ++report_.tenants;
  switch (key->kind) {
    case Kind::value:
    case Kind::counter:
    case Kind::blob:
    case Kind::secret:
    case Kind::reply:
      break;
    case Kind::part:
      return add_part(*key, value);
    case Kind::usage:
    case Kind::expiry:
    case Kind::garbage:
      return;
    default:
      return problem(fmt::format("a key of no known kind: {}", shown(*key)));
  }
  check_name(*key);
  const auto record = view_record(value);
  if (!record) return problem(fmt::format("the record of {} is damaged", shown(*key)));
  if (key->kind == Kind::counter && !decode_count(record->bytes)) {
    problem(fmt::format("the counter {} holds no number", shown(*key)));
  }
  if (key->kind == Kind::blob) add_blob(*key, record->bytes);
}

void CheckAccounts::check_name(const Key& key) {
  if (key.name.empty() || key.name.size() > kMaxName || key.store.size() > kMaxStoreName) {
    problem(fmt::format("a name is empty or too long: {}", shown(key)));
  }
}

void CheckAccounts::add_blob(const Key& key, std::string_view bytes) {
  const auto manifest = decode_manifest(bytes);
  if (!manifest) return problem(fmt::format("the manifest of {} is damaged", shown(key)));
  ++report_.blobs;
  auto left = manifest->size;
  for (const auto& hash : manifest->parts) {
    auto& uses = parts_[{std::string(key.tenant), hash}];
    ++uses.counted;
    uses.bytes = std::min<std::uint64_t>(left, kPartBytes);
    left -= uses.bytes;
  }
}

void CheckAccounts::add_part(const Key& key, std::string_view entry) {
  PartHash hash;
  const auto count = decode_count(entry.substr(0, 8));
  if (key.name.size() != hash.size() || !count || *count < 0) {
    return problem(fmt::format("the uses of a part are damaged: {}", shown(key)));
  }
  std::copy(key.name.begin(), key.name.end(), hash.begin());
  parts_[{std::string(key.tenant), hash}].kept = *count;
}

Result<void> CheckAccounts::finish(const std::filesystem::path& folder) {
  const Parts files(folder);
  for (const auto& [which, uses] : parts_) {
    const auto& [tenant, hash] = which;
    if (uses.counted != uses.kept) {
      problem(fmt::format("the part {} of tenant '{}' is used {} times and counted {} times",
                          shown(hash), shown(tenant), uses.counted, uses.kept));
    }
    if (uses.counted == 0) continue;
    ++report_.parts;
    const auto bytes = files.read(TenantName(tenant), hash);
    if (!bytes) {
      const auto code = bytes.error().code();
      if (code != Code::data_corrupt && code != Code::not_found) {
        return std::unexpected(bytes.error());
      }
      problem(fmt::format("the part {} of tenant '{}': {}", shown(hash), shown(tenant),
                          bytes.error().message()));
    } else if (bytes->size() != uses.bytes) {
      problem(fmt::format("the part {} of tenant '{}' has {} bytes, not {}", shown(hash),
                          shown(tenant), bytes->size(), uses.bytes));
    }
  }
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) return {};
  CARREL_TRY(const auto found, files.all());
  for (const auto& file : found) {
    const auto uses = parts_.find({file.tenant.str(), file.hash});
    if (uses == parts_.end() || uses->second.counted == 0) ++report_.unused_parts;
  }
  return {};
}

}  // namespace carrel::store
