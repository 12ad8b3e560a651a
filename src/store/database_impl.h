// What database*.cc share, and what their tests may reach into. The only header of the room that
// knows RocksDB's types.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <mutex>

#include "store/database.h"
#include "store/database_log_files.h"

namespace carrel::store {

// The files RocksDB sees; tests put failing ones in their place (faulty_files.h).
struct DatabaseFiles {
  std::shared_ptr<rocksdb::FileSystem> system;
};

struct Database::Impl {
  std::filesystem::path folder;
  std::shared_ptr<DatabaseFiles> files;
  std::shared_ptr<LogFiles> logs;     // over `files`, or the machine's
  std::unique_ptr<rocksdb::Env> env;  // over `logs` (database_table_files.h)
  std::shared_ptr<rocksdb::Cache> cache;
  std::unique_ptr<rocksdb::DB> db;  // closed before what is above

  LogMark marked;  // the last one written; the writing thread's

  // The first failed write or sync; set once, then nothing more is written.
  mutable std::mutex mutex;
  std::optional<Error> failure;

  Result<void> writable() const;
  Result<void> write(rocksdb::WriteBatch& batch);
  Error fail_for_good(Error error);
};

struct DatabaseView::Impl {
  rocksdb::DB* db = nullptr;
  const rocksdb::Snapshot* snapshot = nullptr;
};

struct WriteSet::Impl {
  rocksdb::WriteBatch batch;
};

rocksdb::Options rocksdb_options(const DatabaseOptions& options, rocksdb::Env* env,
                                 std::shared_ptr<rocksdb::Cache> cache);
rocksdb::ReadOptions read_options(Reach reach, const rocksdb::Snapshot* snapshot);
// The same, for one key: from memory means the kernel's as well (database_table_files.h).
rocksdb::ReadOptions get_options(Reach reach, const rocksdb::Snapshot* snapshot);

// A failed read: data_corrupt or io.
Error read_error(const rocksdb::Status& status);
// A failed opening: also store_locked, store_full.
Error open_error(const rocksdb::Status& status, const std::filesystem::path& folder);

}  // namespace carrel::store
