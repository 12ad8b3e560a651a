#include "store/faulty_files.h"

#include <condition_variable>
#include <map>
#include <mutex>

#include "store/database_impl.h"

namespace carrel::store {

struct FaultyFiles::State {
  mutable std::mutex mutex;
  std::condition_variable released;
  Write write = Write::well;
  bool sync_fails = false, syncs_held = false;
  int writes = 0, syncs = 0;
  std::map<std::string, std::uint64_t> synced;  // bytes, by file

  Write next_write() {
    const std::lock_guard lock(mutex);
    ++writes;
    return write;
  }

  // False: it fails.
  bool next_sync() {
    std::unique_lock lock(mutex);
    ++syncs;
    released.notify_all();
    released.wait(lock, [this] { return !syncs_held; });
    return !sync_fails;
  }
};

namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using State = FaultyFiles::State;

class File : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  File(std::unique_ptr<rocksdb::FSWritableFile>&& file, std::string name,
       std::shared_ptr<State> state)
      : FSWritableFileOwnerWrapper(std::move(file)),
        name_(std::move(name)),
        state_(std::move(state)) {
    const std::lock_guard lock(state_->mutex);
    state_->synced[name_] = 0;
  }

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  IODebugContext* debug) override {
    switch (state_->next_write()) {
      case FaultyFiles::Write::well:
        break;
      case FaultyFiles::Write::fails:
        return IOStatus::IOError("a write was made to fail");
      case FaultyFiles::Write::no_space:
        return IOStatus::NoSpace("a write was made to find no space");
      case FaultyFiles::Write::torn:
        target()
            ->Append(rocksdb::Slice(data.data(), data.size() / 2), options, debug)
            .PermitUncheckedError();
        return IOStatus::IOError("a write was torn");
    }
    return target()->Append(data, options, debug);
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo&, IODebugContext* debug) override {
    return Append(data, options, debug);
  }

  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return sync([&] { return target()->Sync(options, debug); }, options, debug);
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return sync([&] { return target()->Fsync(options, debug); }, options, debug);
  }

 private:
  template <typename Call>
  IOStatus sync(Call call, const IOOptions& options, IODebugContext* debug) {
    const auto size = target()->GetFileSize(options, debug);  // at least this much is synced
    if (!state_->next_sync()) return IOStatus::IOError("a sync was made to fail");
    auto status = call();
    const std::lock_guard lock(state_->mutex);
    if (status.ok()) state_->synced[name_] = size;
    return status;
  }

  std::string name_;
  std::shared_ptr<State> state_;
};

class System : public rocksdb::FileSystemWrapper {
 public:
  explicit System(std::shared_ptr<State> state)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), state_(std::move(state)) {}

  const char* Name() const override { return "FaultyFiles"; }

  IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* out,
                           IODebugContext* debug) override {
    auto status = target()->NewWritableFile(name, options, out, debug);
    if (status.ok()) *out = std::make_unique<File>(std::move(*out), name, state_);
    return status;
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    auto status = target()->RenameFile(from, to, options, debug);
    const std::lock_guard lock(state_->mutex);
    if (auto node = state_->synced.extract(from); status.ok() && !node.empty()) {
      node.key() = to;
      state_->synced.insert(std::move(node));
    }
    return status;
  }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace

FaultyFiles::FaultyFiles()
    : state_(std::make_shared<State>()),
      files_(std::make_shared<DatabaseFiles>(DatabaseFiles{std::make_shared<System>(state_)})) {}
FaultyFiles::~FaultyFiles() = default;

std::shared_ptr<DatabaseFiles> FaultyFiles::files() const { return files_; }

void FaultyFiles::fail_writes(Write how) {
  const std::lock_guard lock(state_->mutex);
  state_->write = how;
}
void FaultyFiles::fail_syncs() {
  const std::lock_guard lock(state_->mutex);
  state_->sync_fails = true;
}
void FaultyFiles::heal() {
  const std::lock_guard lock(state_->mutex);
  state_->write = Write::well;
  state_->sync_fails = false;
}
void FaultyFiles::hold_syncs() {
  const std::lock_guard lock(state_->mutex);
  state_->syncs_held = true;
}
void FaultyFiles::release_syncs() {
  const std::lock_guard lock(state_->mutex);
  state_->syncs_held = false;
  state_->released.notify_all();
}

int FaultyFiles::writes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->writes;
}
int FaultyFiles::syncs() const {
  const std::lock_guard lock(state_->mutex);
  return state_->syncs;
}

void FaultyFiles::lose_unsynced() {
  const std::lock_guard lock(state_->mutex);
  for (const auto& [name, bytes] : state_->synced) {
    std::error_code error;
    if (std::filesystem::file_size(name, error) > bytes && !error) {
      std::filesystem::resize_file(name, bytes, error);
    }
  }
}

}  // namespace carrel::store
