// The database's log files, synced by us and written ahead.
//
// RocksDB's own SyncWAL must not meet a write that has just failed on another thread: its asserts,
// which Debian builds in, would end the process. So the log's files are wrapped where they are
// made, and synced beside RocksDB: what it has written is with the kernel, and a sync of the file
// is all that is missing.
//
// A file that does not grow takes a third less to sync, as the file system has nothing of its own
// to write. So a log that is synced often is filled with zeros some way ahead, by a thread of its
// own, and cut to what it holds when it is closed. After a crash it is read to where its records
// end (database_log_end.h).
#pragma once

#include <rocksdb/file_system.h>

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "store/database_log_end.h"

namespace carrel::store {

// Owner: the database's environment. Thread-safe. Stops: destruction joins the thread, which may be
// writing 64 KiB.
class LogFiles final : public rocksdb::FileSystemWrapper {
 public:
  // `folder`: the database's; logs elsewhere are copies, of which nothing is known here. `secret`:
  // the store's (database_folder.h).
  LogFiles(const std::shared_ptr<rocksdb::FileSystem>& below, std::filesystem::path folder,
           std::uint64_t secret);
  ~LogFiles() override;

  const char* Name() const override { return "CarrelLogFiles"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewSequentialFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* result,
                                      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetFileSize(const std::string& name, const rocksdb::IOOptions& options,
                                std::uint64_t* size, rocksdb::IODebugContext* debug) override;

  // Returns when all that was appended to logs before is on the disk. One caller at a time.
  rocksdb::IOStatus sync();

  // Of the newest log, to be written at the end of the next batch. Thread: the one that writes.
  LogMark mark() const;
  // All that was appended to it are whole batches. Thread: the one that writes.
  void batch_written();

 private:
  struct Log;
  class File;
  using Logs = std::vector<std::shared_ptr<Log>>;

  bool is_log(const std::filesystem::path& name) const;
  Logs logs() const;
  std::shared_ptr<Log> newest() const;
  std::shared_ptr<Log> written_now(const std::string& name) const;
  // Whether a log that is read follows the one that was read before it.
  rocksdb::IOStatus follow(const std::string& name, LogEnd& end);
  void ask_for_room(const std::shared_ptr<Log>& log);
  bool write_ahead(Log& log);
  void run_ahead();

  const std::filesystem::path folder_;
  const std::uint64_t secret_;
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<Log>> logs_;  // oldest first
  std::uint64_t next_ = 0;  // the number of the change after those of the logs that were read
  std::string torn_;        // the log that was read and not whole
  std::condition_variable asked_;
  std::shared_ptr<Log> wants_room_;
  bool stopping_ = false;
  std::thread ahead_;  // begun when first asked
};

}  // namespace carrel::store
