// The part ledger: how often each part of a tenant is used, kept by the committer in the same write
// as the blobs' records.
//
// A part that loses its last use gets a `garbage` key with the time. A minute later the sweeper
// (part_sweeper.h) has the ledger forget it and removes the file, unless it has come into use
// again.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "store/key.h"
#include "store/parts.h"
#include "store/snapshot.h"

namespace carrel::store {

// What the committer lends: the newest state with the batch in progress on top, and the batch.
struct LedgerAccess {
  std::function<Result<std::optional<std::string>>(std::string_view key)> get;
  std::function<void(std::string key, std::optional<std::string> value)> set;  // nothing: erase
};

// A record that refers to parts is replaced: `before` and `after` are its bytes, nothing where
// there is none. Errors: data_corrupt; those of `get`.
Result<void> account_parts(const LedgerAccess& access, std::string_view tenant,
                           std::optional<std::string_view> before,
                           std::optional<std::string_view> after, WallTime now,
                           Kind kind = Kind::blob);

std::string part_key(std::string_view tenant, const PartHash& hash);

// Whether the ledger knows of the part: a record uses it, or did; damage counts as known. Errors:
// those of the database.
Result<bool> is_recorded(const Snapshot& state, const TenantName& tenant, const PartHash& hash);

// What a garbage key names. Nothing: it is damaged.
struct UnusedPart {
  std::string_view tenant;
  PartHash hash{};
};
std::optional<UnusedPart> unused_part(const Key& garbage);

// Removes a garbage key (encoded), and the part's entry unless it has been used since. Errors:
// data_corrupt; those of `get`.
Result<void> forget_part(const LedgerAccess& access, std::string_view garbage);

}  // namespace carrel::store
