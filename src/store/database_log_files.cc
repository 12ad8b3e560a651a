#include "store/database_log_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <filesystem>
#include <random>

namespace carrel::store {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

namespace {

constexpr int kOften = 32;                 // syncs of a log that is worth the zeros
constexpr std::uint64_t kRoom = 4U << 20;  // bytes of them, at least half of it ahead
constexpr std::size_t kSector = 512;       // a file that ends with one of zeros was written ahead

std::uint64_t number_of(const std::filesystem::path& name) {
  const auto stem = name.stem().string();
  std::uint64_t number = 0;
  std::from_chars(stem.data(), stem.data() + stem.size(), number);
  return number;
}

std::uint64_t random_number() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
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
  std::atomic<std::uint64_t> synced = 0;
  std::atomic<std::uint64_t> room = 0;  // the file's bytes, zeros from `appended`
  std::atomic<bool> full = false;       // there was no room for zeros
  int syncs = 0;                        // the syncing thread's
  bool in_its_folder = false;           // the folder has been synced since the file was made
  std::mutex mutex;                     // a file is not closed while it is synced
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
  // A log is closed when what it holds is in tables.
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    auto cut = close();
    auto closed = target()->Close(options, debug);
    return cut.ok() ? closed : cut;
  }
  void SetPreallocationBlockSize(std::size_t) override {}  // instead of the zeros

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

LogFiles::LogFiles(const std::shared_ptr<rocksdb::FileSystem>& below, std::filesystem::path folder)
    : FileSystemWrapper(below), folder_(std::move(folder)), run_(random_number()) {}

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
  status = read_end(name, end);
  if (status.ok() && end.torn) status = check_torn(name, end);
  if (!status.ok()) return status;
  const auto number = number_of(name);
  const std::lock_guard lock(mutex_);
  if (number > torn_) end = {};  // what came after what is gone was acknowledged to nobody either
  if (end.torn) torn_ = std::min(torn_, number);
  *result = std::make_unique<Beginning>(std::move(*result), end.bytes);
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

// A log that was not written ahead ends where its file ends; RocksDB tells whether it is whole.
IOStatus LogFiles::read_end(const std::string& name, LogEnd& end) {
  auto status = target()->GetFileSize(name, {}, &end.bytes, nullptr);
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  if (status.ok()) status = target()->NewSequentialFile(name, {}, &file, nullptr);
  if (status.ok()) status = file->Skip(end.bytes - std::min<std::uint64_t>(end.bytes, kSector));
  std::array<char, kSector> scratch{};
  rocksdb::Slice tail;
  if (status.ok()) status = file->Read(kSector, {}, &tail, scratch.data(), nullptr);
  if (!status.ok() || tail.size() < kSector) return status;
  if (tail.ToStringView().find_first_not_of('\0') != std::string_view::npos) return status;
  status = target()->NewSequentialFile(name, {}, &file, nullptr);
  return status.ok() ? find_log_end(*file, number_of(name), end) : status;
}

// Later logs are synced after it.
IOStatus LogFiles::check_torn(const std::string& name, const LogEnd& end) {
  std::vector<std::string> names;
  auto status = target()->GetChildren(folder_, {}, &names, nullptr);
  bool damaged = end.damaged;
  for (const auto& each : names) {
    if (!status.ok() || damaged || !is_log(folder_ / each)) continue;
    if (number_of(each) <= number_of(name)) continue;
    std::unique_ptr<rocksdb::FSSequentialFile> file;
    status = target()->NewSequentialFile(folder_ / each, {}, &file, nullptr);
    LogEnd later;
    if (status.ok()) status = find_log_end(*file, number_of(each), later);
    damaged = later.acknowledged || later.damaged;
  }
  if (!status.ok() || !damaged) return status;
  return IOStatus::Corruption(fmt::format(
      "{} is damaged at byte {}, and what follows had been written for good", name, end.bytes));
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

LogMark LogFiles::mark() const {
  const auto all = logs();
  if (all.empty()) return {.run = run_};
  const auto& newest = *all.back();
  return {.run = run_, .log = newest.number, .bytes = newest.synced};
}

bool LogFiles::is_ahead() const {
  const auto all = logs();
  return !all.empty() && all.back()->room > all.back()->appended;
}

IOStatus LogFiles::sync() {
  for (const auto& log : logs()) {
    const std::uint64_t appended = log->appended.load(std::memory_order_acquire);
    if (appended == log->synced) continue;
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
    log->synced = appended;
    const bool often = ++log->syncs >= kOften;
    if (often && log->room < appended + kRoom / 2 && !log->full) ask_for_room(log);
  }
  return IOStatus::OK();
}

void LogFiles::ask_for_room(const std::shared_ptr<Log>& log) {
  const std::lock_guard lock(mutex_);
  wants_room_ = log;
  if (!ahead_.joinable()) ahead_ = std::thread([this] { run_ahead(); });
  asked_.notify_one();
}

void LogFiles::run_ahead() {
  while (true) {
    std::unique_lock lock(mutex_);
    asked_.wait(lock, [this] { return stopping_ || wants_room_; });
    if (stopping_) return;
    const auto log = std::exchange(wants_room_, nullptr);
    lock.unlock();
    write_ahead(*log);
  }
}

// Where there is no room on the disk, the file grows as it is written.
void LogFiles::write_ahead(Log& log) {
  static constexpr std::array<char, 64 << 10> kZeros{};
  std::unique_ptr<rocksdb::FSRandomRWFile> file;
  if (!target()->NewRandomRWFile(log.name, {}, &file, nullptr).ok()) return;
  {
    const std::lock_guard lock(log.growing);
    if (log.closed) return;
    const std::uint64_t end = log.appended + kRoom;
    std::uint64_t at = log.room;
    for (; at < end; at += kZeros.size()) {
      const rocksdb::Slice zeros(kZeros.data(), kZeros.size());
      if (file->Write(at, zeros, {}, nullptr).ok()) continue;
      std::error_code ignored;
      std::filesystem::resize_file(log.name, log.room, ignored);
      log.full = true;
      return;
    }
    log.room = at;
  }
  file->Sync({}, nullptr).PermitUncheckedError();  // so that it is not the next batch's to do
}

}  // namespace carrel::store
