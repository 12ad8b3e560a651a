// How RocksDB is set up: small memory in one cache, every checksum checked, nothing repaired or
// resumed behind our back.
#include <rocksdb/cache.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include "store/database_impl.h"
#include "store/database_table_files.h"

namespace carrel::store {
namespace {

rocksdb::BlockBasedTableOptions table_options(std::shared_ptr<rocksdb::Cache> cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = std::move(cache);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.whole_key_filtering = true;
  // Indexes and filters count against the one cache as well, so memory stays bounded.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  table.data_block_hash_table_util_ratio = 0.75;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  table.verify_compression = true;
  // What was written last is read soon.
  table.prepopulate_block_cache =
      rocksdb::BlockBasedTableOptions::PrepopulateBlockCache::kFlushOnly;
  return table;
}

// RocksDB's own log would be one more file on a disk that may be full, and its writer asserts after
// a failed write.
class NoLog final : public rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

void set_info_log(rocksdb::Options& out) {
  out.info_log = std::make_shared<NoLog>();
  out.stats_dump_period_sec = 0;
  out.stats_persist_period_sec = 0;
}

void set_write_path(rocksdb::Options& out) {
  out.write_buffer_size = 64 << 20;
  out.max_write_buffer_number = 3;
  out.max_total_wal_size = 256 << 20;
  out.recycle_log_file_num = 0;  // old records in a reused log would blur where it ends
  // A torn last record is a crash; a damaged one before it is damage, and opening must fail.
  out.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  out.avoid_flush_during_shutdown = true;  // after a failure nothing more may reach the disk
  out.max_bgerror_resume_count = 0;        // the store opens anew instead (recovery.h)
  out.paranoid_checks = true;
  out.flush_verify_memtable_count = true;
  out.unordered_write = false;
  out.enable_pipelined_write = false;  // one thread writes
  out.allow_concurrent_memtable_write = false;
  out.max_background_jobs = 2;
  out.bytes_per_sync = 1 << 20;
}

}  // namespace

rocksdb::Options rocksdb_options(const DatabaseOptions& options, rocksdb::Env* env,
                                 std::shared_ptr<rocksdb::Cache> cache) {
  rocksdb::Options out;
  out.create_if_missing = options.access == DatabaseOptions::Access::read_write;
  if (env != nullptr) out.env = env;
  out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(std::move(cache))));
  out.compression = rocksdb::kLZ4Compression;
  out.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  out.level_compaction_dynamic_level_bytes = true;
  out.max_open_files = -1;  // else a read would open files again, and wait for the disk
  set_info_log(out);
  set_write_path(out);
  return out;
}

rocksdb::ReadOptions read_options(Reach reach, const rocksdb::Snapshot* snapshot) {
  rocksdb::ReadOptions out;
  out.verify_checksums = true;
  out.snapshot = snapshot;
  out.read_tier = reach == Reach::memory ? rocksdb::kBlockCacheTier : rocksdb::kReadAllTier;
  return out;
}

rocksdb::ReadOptions get_options(Reach reach, const rocksdb::Snapshot* snapshot) {
  auto out = read_options(Reach::disk, snapshot);
  if (reach == Reach::memory) out.io_timeout = kNoWait;
  return out;
}

Error read_error(const rocksdb::Status& status) {
  return Error(status.IsCorruption() ? Code::data_corrupt : Code::io,
               "cannot read the database: " + status.ToString());
}

Error open_error(const rocksdb::Status& status, const std::filesystem::path& folder) {
  const std::string text = status.ToString();
  const std::string where = folder.string();
  if (status.IsIOError() && text.find("lock") != std::string::npos &&
      text.find("LOCK") != std::string::npos) {
    return Error(Code::store_locked, "the store in " + where + " is open in another process",
                 "stop that process, or name another folder");
  }
  if (status.IsNoSpace()) {
    return Error(Code::store_full, "no room left to open the store in " + where + ": " + text,
                 "make room on its disk");
  }
  if (status.IsCorruption()) {
    return Error(Code::data_corrupt, "the store in " + where + " is damaged: " + text,
                 "check it with: carrel store check; restore a backup with: carrel store restore");
  }
  return Error(Code::io, "cannot open the store in " + where + ": " + text);
}

}  // namespace carrel::store
