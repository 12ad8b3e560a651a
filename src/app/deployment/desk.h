// Reading and changing what the store keeps of apps, within a transaction of their tenant.
//
// The transaction outlives the tasks, and may be begun anew between them.
#pragma once

#include <optional>
#include <vector>

#include "app/deployment/records.h"
#include "async/task.h"
#include "store/transaction.h"

namespace carrel::deployment {

// Errors of all: those of Transaction::read; data_corrupt.
async::Task<Result<std::optional<AppRecord>>> find_app(store::Transaction* transaction,
                                                       AppName app);
// not_found when there is none, or it has been removed.
async::Task<Result<AppRecord>> require_app(store::Transaction* transaction, AppName app);
// not_found.
async::Task<Result<Version>> require_version(store::Transaction* transaction, AppName app,
                                             std::uint64_t number);
// In order of numbers.
async::Task<Result<std::vector<std::uint64_t>>> version_numbers(store::Transaction* transaction,
                                                                AppName app);

// Replaces the app's record by what it has become.
Result<void> keep_app(store::Transaction& transaction, const AppName& app, AppRecord& record);

// Adds a version, with the next number, and takes away old ones that the app does not need. The
// parts of the bundle are pinned. A bundle that the newest version has already adds nothing: that
// version is `added`.
struct Addition {
  Version added;
  AppRecord app;
  bool made = false;  // it is new
};
async::Task<Result<Addition>> add_version(store::Transaction* transaction, AppName app,
                                          Version version);

// Takes away the app and all its versions.
async::Task<Result<void>> erase_app(store::Transaction* transaction, AppName app);

}  // namespace carrel::deployment
