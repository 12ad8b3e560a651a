// The database's log files, synced by us.
//
// RocksDB's own SyncWAL must not meet a write that has just failed on another thread: its asserts,
// which Debian builds in, would end the process. So the log's files are wrapped where they are
// made, and synced beside RocksDB: what it has written is with the kernel, and a sync of the file
// is all that is missing.
#pragma once

#include <rocksdb/file_system.h>

#include <memory>
#include <mutex>
#include <vector>

namespace carrel::store {

// Owner: the database's environment. Thread-safe.
class LogFiles final : public rocksdb::FileSystemWrapper {
 public:
  explicit LogFiles(const std::shared_ptr<rocksdb::FileSystem>& below) : FileSystemWrapper(below) {}

  const char* Name() const override { return "CarrelLogFiles"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;

  // Returns when all that was appended to logs before is on the disk. One caller at a time.
  rocksdb::IOStatus sync();

 private:
  struct Log;
  class File;
  std::mutex mutex_;
  std::vector<std::weak_ptr<Log>> logs_;
};

}  // namespace carrel::store
