// The database: RocksDB behind our own words. No type of RocksDB leaves this room, and only
// database*.cc includes it.
//
// One instance is one opening of the folder. After a failed write or sync it takes no more writes:
// what it holds in memory may differ from the disk, so it is closed and opened again (recovery.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace carrel::store {

inline constexpr std::uint32_t kStoreFormat = 1;  // of the folder; written in its file FORMAT

struct DatabaseFiles;

struct DatabaseOptions {
  std::filesystem::path folder;
  std::uint64_t cache_bytes = 256ULL << 20;
  enum class Access : std::uint8_t { read_write, read_only } access = Access::read_write;
  std::shared_ptr<DatabaseFiles> files;  // null: the machine's; tests let them fail
};

// What may be touched to answer: memory only (memtables, the block cache and, for `get`, the
// kernel's), or the disk as well.
enum class Reach : std::uint8_t { memory, disk };

// Nothing: the answer is not in memory; ask again with Reach::disk, on an I/O thread.
template <typename T>
using Peek = std::optional<Result<T>>;

class Database;

// The database as it was at one moment. Immutable. Thread-safe. Keeps its database open.
class DatabaseView {
 public:
  ~DatabaseView();
  DatabaseView(const DatabaseView&) = delete;
  DatabaseView& operator=(const DatabaseView&) = delete;

  // Errors: data_corrupt, io.
  Peek<std::optional<std::string>> get(std::string_view key, Reach reach) const;

  const std::shared_ptr<Database>& database() const { return database_; }

 private:
  friend class Database;
  friend class Cursor;
  struct Impl;
  DatabaseView(std::shared_ptr<Database> database, std::unique_ptr<Impl> impl);
  std::shared_ptr<Database> database_;
  std::unique_ptr<Impl> impl_;
};

// Walks a view's keys in order, within [from, end). Thread: one at a time.
class Cursor {
 public:
  enum class State : std::uint8_t { valid, end, not_in_memory, failed };

  // `end` empty: to the last. Starts before `from`: call `seek` first.
  Cursor(std::shared_ptr<const DatabaseView> view, std::string end, Reach reach);
  ~Cursor();
  Cursor(Cursor&&) noexcept;
  Cursor& operator=(Cursor&&) noexcept;

  State seek(std::string_view key);  // to the first key at or after it
  State next();                      // precondition: valid
  State state() const;
  std::string_view key() const;  // until the next move
  std::string_view value() const;
  Error error() const;  // of `failed`: data_corrupt, io

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Writes that are applied together. Thread: one at a time.
class WriteSet {
 public:
  WriteSet();
  ~WriteSet();
  WriteSet(WriteSet&&) noexcept;
  WriteSet& operator=(WriteSet&&) noexcept;
  void put(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  void clear();
  bool empty() const;
  std::size_t bytes() const;

 private:
  friend class Database;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Thread-safe; `write` and `sync` from one thread each.
class Database : public std::enable_shared_from_this<Database> {
 public:
  // Blocks; replays what a crash left. Makes the folder if there is none (read_write). Errors:
  // store_locked; store_format for a newer or foreign folder, which is left as it is; data_corrupt;
  // store_full; io.
  static Result<std::shared_ptr<Database>> open(const DatabaseOptions& options);
  // Whether its folder takes writes again: writes and syncs a small file there. Blocks. Errors:
  // store_full, store_failed.
  static Result<void> probe(const DatabaseOptions& options);
  ~Database();

  std::shared_ptr<const DatabaseView> view();

  // The newest state, for the committer. Errors: data_corrupt, io.
  Result<std::optional<std::string>> get(std::string_view key);

  // Applies all or nothing, without waiting for the disk. Errors: store_full, store_failed; then no
  // other write or sync is accepted.
  Result<void> write(WriteSet& writes);
  // Writes how far the log is synced, as each write does, and syncs that: damage to it cannot pass
  // for a record that was being written. While nobody else writes or syncs.
  Result<void> mark_synced();
  bool is_marked() const;  // nothing was synced since, or the log's end tells it
  // Returns when all that was written before is on the disk. Errors: as for `write`.
  Result<void> sync();

  // Cuts a copy of the folder at one commit into `target`, which must not exist. Blocks. Files are
  // hard-linked where they can be. Errors: already_exists, io, store_full.
  Result<void> checkpoint(const std::filesystem::path& target);
  // Reads every file and compares its checksums. Blocks. Errors: data_corrupt naming the file, io.
  Result<void> verify();

  // Keys and bytes, estimated; for the status page.
  struct Size {
    std::uint64_t keys = 0, bytes_on_disk = 0, bytes_in_memory = 0;
  };
  Size size() const;

 private:
  friend class DatabaseView;
  friend class Cursor;
  struct Impl;
  explicit Database(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::store
