#include "store/database_log_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <filesystem>

namespace carrel::store {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

namespace {

constexpr int kOften = 32;                 // syncs of a log that is worth the zeros
constexpr std::uint64_t kRoom = 4U << 20;  // bytes of them, at least half of it ahead

std::uint64_t number_of(const std::filesystem::path& name) {
  const auto stem = name.stem().string();
  std::uint64_t number = 0;
  std::from_chars(stem.data(), stem.data() + stem.size(), number);
  return number;
}

// A file as if it ended after some bytes.
class Beginning final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  Beginning(std::unique_ptr<rocksdb::FSSequentialFile>&& file, std::uint64_t bytes)
      : FSSequentialFileOwnerWrapper(std::move(file)), left_(bytes) {}

  IOStatus Read(std::size_t n, const IOOptions& options, rocksdb::Slice* result, char* scratch,
                IODebugContext* debug) override {
    auto status =
        target()->Read(std::min<std::uint64_t>(n, left_), options, result, scratch, debug);
    if (status.ok()) left_ -= result->size();
    return status;
  }
  IOStatus Skip(std::uint64_t n) override {
    n = std::min(n, left_);
    left_ -= n;
    return target()->Skip(n);
  }

 private:
  std::uint64_t left_;
};

}  // namespace

struct LogFiles::Log {
  std::string name;
  std::uint64_t number = 0;
  std::unique_ptr<rocksdb::FSWritableFile> file;
  std::atomic<std::uint64_t> appended = 0;
  std::atomic<std::uint64_t> whole = 0;   // of it, batches that are written
  std::atomic<std::uint64_t> synced = 0;  // of those
  std::uint64_t flushed = 0;              // of all; the syncing thread's
  std::atomic<std::uint64_t> room = 0;    // the file's bytes, zeros from `appended`
  std::atomic<bool> ahead = false;        // zeros were written
  std::atomic<bool> full = false;         // there was no room for them
  int syncs = 0;                          // the syncing thread's
  bool in_its_folder = false;             // the folder has been synced since the file was made
  std::mutex mutex;                       // a file is not closed while it is synced
  std::mutex growing;  // nor while zeros are written, and nothing is appended where they are
  bool closed = false;
};

// What RocksDB writes to.
class LogFiles::File final : public rocksdb::FSWritableFileWrapper {
 public:
  explicit File(const std::shared_ptr<Log>& log)
      : FSWritableFileWrapper(log->file.get()), log_(log) {}
  ~File() override {
    close().PermitUncheckedError();
    const std::lock_guard lock(log_->mutex);
    log_->file.reset();
  }

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  IODebugContext* debug) override {
    return append(data.size(), [&] { return target()->Append(data, options, debug); });
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification,
                  IODebugContext* debug) override {
    return append(data.size(),
                  [&] { return target()->Append(data, options, verification, debug); });
  }
  // A log is closed when what it holds is in tables, or with the database.
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    auto cut = close();
    auto closed = target()->Close(options, debug);
    return cut.ok() ? closed : cut;
  }
  void SetPreallocationBlockSize(std::size_t) override {}  // the zeros take its place

 private:
  template <typename Call>
  IOStatus append(std::size_t bytes, Call call) {
    const auto end = log_->appended.load(std::memory_order_relaxed) + bytes;
    std::unique_lock growing(log_->growing, std::defer_lock);
    if (end > log_->room.load(std::memory_order_acquire)) growing.lock();
    auto status = call();
    if (!status.ok()) return status;
    log_->appended.store(end, std::memory_order_release);
    if (growing) log_->room = std::max(log_->room.load(), end);
    return status;
  }

  // It ends where what was appended ends.
  IOStatus close() {
    const std::scoped_lock lock(log_->mutex, log_->growing);
    if (std::exchange(log_->closed, true)) return IOStatus::OK();
    const auto bytes = log_->appended.load();
    return log_->room > bytes ? target()->Truncate(bytes, {}, nullptr) : IOStatus::OK();
  }
  std::shared_ptr<Log> log_;
};

LogFiles::LogFiles(const std::shared_ptr<rocksdb::FileSystem>& below, std::filesystem::path folder,
                   std::uint64_t secret)
    : FileSystemWrapper(below), folder_(std::move(folder)), secret_(secret) {}

LogFiles::~LogFiles() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  asked_.notify_one();
  if (ahead_.joinable()) ahead_.join();
}

IOStatus LogFiles::NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                   std::unique_ptr<rocksdb::FSWritableFile>* result,
                                   IODebugContext* debug) {
  auto status = target()->NewWritableFile(name, options, result, debug);
  if (!status.ok() || !is_log(name)) return status;
  auto log = std::make_shared<Log>();
  log->name = name;
  log->number = number_of(name);
  log->file = std::move(*result);
  *result = std::make_unique<File>(log);
  const std::lock_guard lock(mutex_);
  std::erase_if(logs_, [](const auto& each) { return each.expired(); });
  logs_.push_back(log);
  return status;
}

IOStatus LogFiles::NewSequentialFile(const std::string& name, const rocksdb::FileOptions& options,
                                     std::unique_ptr<rocksdb::FSSequentialFile>* result,
                                     IODebugContext* debug) {
  auto status = target()->NewSequentialFile(name, options, result, debug);
  if (!status.ok() || !is_log(name) || written_now(name)) return status;
  LogEnd end;
  status = find_log_end(**result, number_of(name), secret_, end);
  if (status.ok()) status = follow(name, end);
  if (status.ok()) status = target()->NewSequentialFile(name, options, result, debug);
  // One that was not written ahead ends where its file ends, and RocksDB tells whether it is whole.
  if (status.ok() && end.ahead) {
    *result = std::make_unique<Beginning>(std::move(*result), end.bytes);
  }
  return status;
}

IOStatus LogFiles::GetFileSize(const std::string& name, const IOOptions& options,
                               std::uint64_t* size, IODebugContext* debug) {
  if (const auto log = written_now(name)) {
    *size = log->appended.load(std::memory_order_acquire);
    return IOStatus::OK();
  }
  return target()->GetFileSize(name, options, size, debug);
}

// Logs are read in their order. What came after what is gone was acknowledged to nobody either: a
// log is synced before a later one is.
IOStatus LogFiles::follow(const std::string& name, LogEnd& end) {
  const std::lock_guard lock(mutex_);
  if (end.damaged) {
    return IOStatus::Corruption(
        fmt::format("{} is damaged at byte {}, and what follows was on the disk", name, end.bytes));
  }
  if (torn_.empty() && next_ != 0 && end.first > next_) torn_ = "the log before it";
  if (!torn_.empty() && torn_ != name) {
    if (end.acknowledged) {
      return IOStatus::Corruption(
          fmt::format("{} was on the disk, and {} is not whole", name, torn_));
    }
    end = {.ahead = true};
  }
  if (end.ahead && end.torn) torn_ = name;
  next_ = std::max(next_, end.next);
  return IOStatus::OK();
}

bool LogFiles::is_log(const std::filesystem::path& name) const {
  return name.extension() == ".log" && name.parent_path() == folder_;
}

LogFiles::Logs LogFiles::logs() const {
  Logs found;
  const std::lock_guard lock(mutex_);
  for (const auto& each : logs_) {
    if (auto log = each.lock()) found.push_back(std::move(log));
  }
  return found;
}

std::shared_ptr<LogFiles::Log> LogFiles::written_now(const std::string& name) const {
  if (!is_log(name)) return nullptr;
  const auto all = logs();
  const auto found = std::ranges::find(all, name, &Log::name);
  return found == all.end() ? nullptr : *found;
}

std::shared_ptr<LogFiles::Log> LogFiles::newest() const {
  const std::lock_guard lock(mutex_);
  return logs_.empty() ? nullptr : logs_.back().lock();
}

LogMark LogFiles::mark() const {
  const auto log = newest();
  if (!log) return {.store = secret_};
  return {.store = secret_, .log = log->number, .bytes = log->synced, .ahead = log->ahead};
}

void LogFiles::batch_written() {
  if (const auto log = newest()) log->whole.store(log->appended, std::memory_order_release);
}

IOStatus LogFiles::sync() {
  for (const auto& log : logs()) {
    const std::uint64_t whole = log->whole.load(std::memory_order_acquire);
    const std::uint64_t appended = log->appended.load(std::memory_order_acquire);
    if (appended == log->flushed) continue;
    {
      const std::lock_guard lock(log->mutex);
      if (log->closed) continue;
      if (auto status = log->file->Sync({}, nullptr); !status.ok()) return status;
    }
    if (!log->in_its_folder) {
      std::unique_ptr<rocksdb::FSDirectory> folder;
      auto status = target()->NewDirectory(folder_, {}, &folder, nullptr);
      if (status.ok()) status = folder->Fsync({}, nullptr);
      if (!status.ok()) return status;
      log->in_its_folder = true;
    }
    log->flushed = appended;
    log->synced = whole;
    const bool often = ++log->syncs >= kOften;
    if (often && log->room < appended + kRoom / 2 && !log->full) ask_for_room(log);
  }
  return IOStatus::OK();
}

void LogFiles::ask_for_room(const std::shared_ptr<Log>& log) {
  const std::lock_guard lock(mutex_);
  wants_room_ = log;
  asked_.notify_one();
  if (ahead_.joinable()) return;
  try {
    ahead_ = std::thread([this] { run_ahead(); });
  } catch (const std::system_error&) {
    log->full = true;
  }
}

void LogFiles::run_ahead() {
  while (true) {
    std::unique_lock lock(mutex_);
    asked_.wait(lock, [this] { return stopping_ || wants_room_; });
    if (stopping_) return;
    const auto log = std::exchange(wants_room_, nullptr);
    lock.unlock();
    log->full = !write_ahead(*log);
  }
}

// False: there is no room on the disk, or the like; the file grows as it is written.
bool LogFiles::write_ahead(Log& log) {
  static constexpr std::array<char, 64 << 10> kZeros{};
  std::unique_ptr<rocksdb::FSRandomRWFile> file;
  if (!target()->NewRandomRWFile(log.name, {}, &file, nullptr).ok()) return false;
  const std::uint64_t end = log.appended + kRoom;
  while (true) {
    const std::lock_guard lock(log.growing);
    if (log.closed) return true;
    const std::uint64_t room = log.room;
    if (room >= end) break;
    log.ahead = true;
    if (file->Write(room, {kZeros.data(), kZeros.size()}, {}, nullptr).ok()) {
      log.room = room + kZeros.size();
      continue;
    }
    std::error_code ignored;
    std::filesystem::resize_file(log.name, room, ignored);
    return false;
  }
  file->Sync({}, nullptr).PermitUncheckedError();  // so that it is not the next batch's to do
  return true;
}

}  // namespace carrel::store
