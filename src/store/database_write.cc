// Writes and syncs, and what a failed one means: nothing more is written by this instance.
#include "store/database_impl.h"

namespace carrel::store {
namespace {

constexpr std::size_t kProtection = 8;  // bytes of checksum a key, from here into the memtable

rocksdb::WriteBatch fresh_batch() { return rocksdb::WriteBatch(0, 0, kProtection, 0); }

}  // namespace

WriteSet::WriteSet() : impl_(std::make_unique<Impl>(Impl{fresh_batch()})) {}
WriteSet::~WriteSet() = default;
WriteSet::WriteSet(WriteSet&&) noexcept = default;
WriteSet& WriteSet::operator=(WriteSet&&) noexcept = default;

void WriteSet::put(std::string_view key, std::string_view value) {
  impl_->batch.Put(key, value).PermitUncheckedError();
}
void WriteSet::erase(std::string_view key) { impl_->batch.Delete(key).PermitUncheckedError(); }
void WriteSet::clear() { impl_->batch.Clear(); }
bool WriteSet::empty() const { return impl_->batch.Count() == 0; }
std::size_t WriteSet::bytes() const { return impl_->batch.GetDataSize(); }

Result<void> Database::Impl::writable() const {
  const std::lock_guard lock(mutex);
  if (!failure) return {};
  return fail(Code::store_failed, "the store was closed for writing: " + failure->message(),
              failure->help());
}

Error Database::Impl::fail_for_good(Error error) {
  const std::lock_guard lock(mutex);
  if (!failure) failure = error;
  return error;
}

Result<void> Database::write(WriteSet& writes) {
  CARREL_TRY_VOID(impl_->write(writes.impl_->batch));
  impl_->logs->batch_written();
  return {};
}

Result<void> Database::Impl::write(rocksdb::WriteBatch& batch) {
  CARREL_TRY_VOID(writable());
  rocksdb::WriteOptions options;
  options.sync = false;
  options.protection_bytes_per_key = kProtection;
  const auto mark = logs->mark();
  const auto text = mark.encode();
  auto status = batch.PutLogData({text.data(), text.size()});
  if (status.ok()) status = db->Write(options, &batch);
  if (status.ok()) {
    marked = mark;
    return {};
  }
  if (status.IsNoSpace()) {
    return std::unexpected(fail_for_good(
        Error(Code::store_full, "no room left to write the store: " + status.ToString(),
              "make room on its disk; it goes on by itself then")));
  }
  return std::unexpected(
      fail_for_good(Error(Code::store_failed, "cannot write the store: " + status.ToString())));
}

bool Database::is_marked() const {
  const auto mark = impl_->logs->mark();
  return !mark.ahead || mark == impl_->marked;
}

Result<void> Database::mark_synced() {
  auto nothing = fresh_batch();
  CARREL_TRY_VOID(impl_->write(nothing));  // itself it needs no mark
  return sync();
}

Result<void> Database::sync() {
  CARREL_TRY_VOID(impl_->writable());
  const auto status = impl_->logs->sync();
  if (status.ok()) return impl_->writable();  // a write that failed meanwhile may be before it
  return std::unexpected(impl_->fail_for_good(
      Error(Code::store_failed, "cannot sync the store: " + status.ToString())));
}

}  // namespace carrel::store
