// The database's tables, read from the kernel's page cache without waiting for the disk.
//
// A table that a compaction has just written is in the page cache and not in the block cache. To
// send each of its reads to an I/O thread would halve what a store of many keys can do; a read that
// says it has no time to wait is answered here, if the kernel can do it at once (RWF_NOWAIT).
#pragma once

#include <rocksdb/file_system.h>

#include <chrono>
#include <memory>
#include <string>

namespace carrel::store {

// A read with this `io_timeout` never waits for the disk: it is answered or IOStatus::TimedOut.
inline constexpr std::chrono::microseconds kNoWait{1};

// Owner: the database's environment. Thread-safe.
class TableFiles final : public rocksdb::FileSystemWrapper {
 public:
  enum class Pages : std::uint8_t { used, ignored };  // ignored: no such read is answered

  TableFiles(const std::shared_ptr<rocksdb::FileSystem>& below, Pages pages)
      : FileSystemWrapper(below), pages_(pages) {}

  const char* Name() const override { return "CarrelTableFiles"; }
  rocksdb::IOStatus NewRandomAccessFile(const std::string& name,
                                        const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                        rocksdb::IODebugContext* debug) override;

 private:
  class File;
  Pages pages_;
};

}  // namespace carrel::store
