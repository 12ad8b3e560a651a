// Backups: a store's folder copied at one commit, while it is in use.
//
// A backup is a store's folder like any other (FORMAT, db, parts). The node's key is not in it:
// sealed secrets are only of use with the key of the node they were sealed on.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "store/database.h"
#include "store/parts.h"

namespace carrel::store {

// Blocks. `target` must not exist; it is there when the backup is whole and on the disk, not
// before. Files that never change are hard-linked where they can be. Errors: already_exists,
// store_full, io.
Result<void> make_backup(Database& database, Parts& parts, const std::filesystem::path& target);

// Blocks. Copies a backup (nothing is shared with it) to where a store is to be. `folder` must not
// exist, or be empty. Errors: not_found, store_format for what is no backup of this version;
// already_exists; store_full; io.
Result<void> restore_backup(const std::filesystem::path& backup,
                            const std::filesystem::path& folder);

}  // namespace carrel::store
