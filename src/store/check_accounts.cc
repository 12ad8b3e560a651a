#include "store/check_accounts.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/expiry_index.h"
#include "store/part_ledger.h"
#include "store/part_list.h"
#include "store/part_walk.h"
#include "store/record.h"
#include "store/time_walk.h"
#include "store/usage_table.h"

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
  switch (key->kind) {
    case Kind::value:
    case Kind::counter:
    case Kind::blob:
    case Kind::secret:
    case Kind::reply:
    case Kind::app:
    case Kind::version:
    case Kind::tenant:
    case Kind::token:
    case Kind::audit:
    case Kind::event:
    case Kind::binding:
    case Kind::delivery:
      return add_record(*key, value);
    case Kind::part:
      return add_part(*key, value);
    case Kind::usage:
      tenants_[std::string(key->tenant)].kept = value;
      return;
    case Kind::expiry:
      return add_expiry(*key);
    case Kind::garbage:
      return add_garbage(*key);
    default:
      return problem(fmt::format("a key of no known kind: {}", shown(*key)));
  }
}

void CheckAccounts::add_record(const Key& key, std::string_view value) {
  check_name(key);
  const auto record = view_record(value);
  if (is_charged(key.kind)) {
    auto& stored = tenants_[std::string(key.tenant)];
    ++stored.names;
    if (record) {
      stored.bytes += static_cast<std::int64_t>(charge_of(key.kind, key.name, *record));
    }
  }
  if (!record) return problem(fmt::format("the record of {} is damaged", shown(key)));
  if (key.kind == Kind::counter && !decode_count(record->bytes)) {
    problem(fmt::format("the counter {} holds no number", shown(key)));
  }
  if (record->expires != 0 && !look(expiry_key(key, record->expires))) {
    problem(fmt::format("{} expires and is not in the list of what does", shown(key)));
  }
  if (refers_to_parts(key.kind)) add_uses(key, record->bytes);
}

void CheckAccounts::add_expiry(const Key& entry) {
  const auto key = expiring_record(entry);
  if (!key) return problem(fmt::format("the time of a name is damaged: {}", shown(entry)));
  const auto value = look(encode(*key));
  const auto record = value ? view_record(*value) : std::nullopt;
  const auto time = decode_count(entry.name.substr(0, kTimeBytes));
  if (!record || static_cast<std::int64_t>(record->expires) != time) {
    problem(fmt::format("{} is in the list of what expires, at a time that is not its own",
                        shown(*key)));
  }
}

void CheckAccounts::add_garbage(const Key& entry) {
  const auto part = unused_part(entry);
  if (!part) return problem(fmt::format("the name of an unused part is damaged: {}", shown(entry)));
  const auto kept = look(part_key(part->tenant, part->hash));
  if (kept != encode_count(0) + std::string(entry.name.substr(0, kTimeBytes))) {
    problem(fmt::format("the part {} of tenant '{}' is in the list of unused ones and is not",
                        shown(part->hash), shown(part->tenant)));
  }
}

std::optional<std::string> CheckAccounts::look(const std::string& key) const {
  auto found = view_->get(key, Reach::disk);
  if (!found || !*found) return {};
  return std::move(**found);
}

void CheckAccounts::check_name(const Key& key) {
  if (key.name.empty() || key.name.size() > kMaxName || key.store.size() > kMaxStoreName) {
    problem(fmt::format("a name is empty or too long: {}", shown(key)));
  }
}

void CheckAccounts::add_uses(const Key& key, std::string_view bytes) {
  const auto parts = parts_of(key.kind, bytes);
  if (!parts) return problem(fmt::format("the manifest of {} is damaged", shown(key)));
  if (key.kind == Kind::blob) ++report_.blobs;
  for (const PartUse& part : *parts) {
    auto& uses = parts_[{std::string(key.tenant), part.hash}];
    ++uses.counted;
    uses.bytes = part.bytes;
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
  if (*count > 0) return;
  const std::string time(entry.substr(8));
  const std::string name = time + std::string(key.name);
  if (!look(encode(Key{key.tenant, Kind::garbage, {}, name}))) {
    problem(fmt::format("the part {} of tenant '{}' is unused and not in the list of those",
                        shown(hash), shown(key.tenant)));
  }
}

void CheckAccounts::check_stored() {
  report_.tenants = tenants_.size();
  for (const auto& [tenant, stored] : tenants_) {
    if (stored.names == 0 && !stored.kept) continue;
    if (stored.kept == encode_usage(stored.bytes, stored.names)) continue;
    Account kept;
    if (stored.kept && !decode_usage(*stored.kept, kept)) {
      problem(fmt::format("the account of tenant '{}' is damaged", shown(tenant)));
      continue;
    }
    problem(fmt::format("tenant '{}' has {} names and {} bytes, and on its account {} and {}",
                        shown(tenant), stored.names, stored.bytes, kept.names.load(),
                        kept.bytes.load()));
  }
}

Result<void> CheckAccounts::finish(const std::filesystem::path& folder) {
  check_stored();
  return check_parts(folder);
}

Result<void> CheckAccounts::check_parts(const std::filesystem::path& folder) {
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
  PartWalk walk(folder);
  while (true) {
    CARREL_TRY(const auto file, walk.next());
    if (!file) return {};
    if (file->name.form == PartName::Form::being_written) continue;
    const auto uses = parts_.find({file->tenant.str(), file->name.hash});
    if (uses == parts_.end() || uses->second.counted == 0) ++report_.unused_parts;
  }
}

}  // namespace carrel::store
