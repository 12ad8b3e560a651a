// Backups: a store's folder copied at one commit, while it is in use.
//
// A backup is a store's folder like any other (FORMAT, db, parts). The node's key is not in it:
// sealed secrets are only of use with the key of the node they were sealed on.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>

#include "base/result.h"
#include "store/database.h"
#include "store/parts.h"

namespace carrel::store {

// Blocks. `target` must not exist and not lie in the store's folder; it is there when the backup is
// whole and on the disk, not before. Only its owner may enter it. Files that never change are
// hard-linked where they can be. The database is given up once it has been cut. Errors:
// already_exists, invalid_argument, store_full, io; shutting_down: told to stop.
Result<void> make_backup(std::shared_ptr<Database> database, Parts& parts,
                         const std::filesystem::path& target, const std::stop_token& stop = {});

// Blocks. Copies a backup (nothing is shared with it) to where a store is to be. `folder` must not
// exist, or be empty. Errors: not_found, store_format for what is no backup of this version;
// already_exists; store_full; io.
Result<void> restore_backup(const std::filesystem::path& backup,
                            const std::filesystem::path& folder);

}  // namespace carrel::store
