#include "store/database_log_files.h"

#include <atomic>
#include <filesystem>

namespace carrel::store {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

struct LogFiles::Log {
  std::string name;
  std::unique_ptr<rocksdb::FSWritableFile> file;
  std::atomic<std::uint64_t> appended = 0;
  std::uint64_t synced = 0;    // the syncing thread's
  bool in_its_folder = false;  // the folder has been synced since the file was made
  std::mutex mutex;            // a file is not closed while it is synced
  bool closed = false;
};

// What RocksDB writes to.
class LogFiles::File final : public rocksdb::FSWritableFileWrapper {
 public:
  explicit File(const std::shared_ptr<Log>& log)
      : FSWritableFileWrapper(log->file.get()), log_(log) {}
  ~File() override {
    const std::lock_guard lock(log_->mutex);
    log_->closed = true;
    log_->file.reset();
  }

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  IODebugContext* debug) override {
    return count(data.size(), target()->Append(data, options, debug));
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification,
                  IODebugContext* debug) override {
    return count(data.size(), target()->Append(data, options, verification, debug));
  }
  // A log is closed when what it holds is in tables.
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    const std::lock_guard lock(log_->mutex);
    log_->closed = true;
    return target()->Close(options, debug);
  }

 private:
  IOStatus count(std::size_t bytes, IOStatus status) {
    if (status.ok()) log_->appended.fetch_add(bytes, std::memory_order_release);
    return status;
  }
  std::shared_ptr<Log> log_;
};

IOStatus LogFiles::NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                   std::unique_ptr<rocksdb::FSWritableFile>* result,
                                   IODebugContext* debug) {
  auto status = target()->NewWritableFile(name, options, result, debug);
  if (!status.ok() || !name.ends_with(".log")) return status;
  auto log = std::make_shared<Log>();
  log->name = name;
  log->file = std::move(*result);
  *result = std::make_unique<File>(log);
  const std::lock_guard lock(mutex_);
  std::erase_if(logs_, [](const auto& each) { return each.expired(); });
  logs_.push_back(log);
  return status;
}

IOStatus LogFiles::sync() {
  std::vector<std::shared_ptr<Log>> logs;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& each : logs_) {
      if (auto log = each.lock()) logs.push_back(std::move(log));
    }
  }
  for (const auto& log : logs) {
    const std::uint64_t appended = log->appended.load(std::memory_order_acquire);
    if (appended == log->synced) continue;
    {
      const std::lock_guard lock(log->mutex);
      if (log->closed) continue;
      if (auto status = log->file->Sync({}, nullptr); !status.ok()) return status;
    }
    if (!log->in_its_folder) {
      std::unique_ptr<rocksdb::FSDirectory> folder;
      const auto path = std::filesystem::path(log->name).parent_path().string();
      auto status = target()->NewDirectory(path, {}, &folder, nullptr);
      if (status.ok()) status = folder->Fsync({}, nullptr);
      if (!status.ok()) return status;
      log->in_its_folder = true;
    }
    log->synced = appended;
  }
  return IOStatus::OK();
}

}  // namespace carrel::store
