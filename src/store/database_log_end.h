// Where what was written to a log ends.
//
// A log is written ahead with zeros (database_log_files.h), so its file's end says nothing, and
// after a crash a record that was being written is there in parts. It was acknowledged to nobody
// and goes; a damaged one that was on the disk may not. What tells them apart are marks: at the end
// of each batch stands how much of the log was synced when the batch was written.
//
// Source of the log's format: RocksDB's wiki, "Write Ahead Log File Format".
#pragma once

#include <rocksdb/file_system.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace carrel::store {

// How much of which log was on the disk.
struct LogMark {
  static constexpr std::size_t kBytes = 24;

  std::uint64_t run = 0;  // random: a guest cannot write a mark, as it does not know this
  std::uint64_t log = 0;  // its number
  std::uint64_t bytes = 0;

  bool operator==(const LogMark&) const = default;
  std::array<char, kBytes> encode() const;
  // Of the batch that ends with it. Nothing: there is none.
  static std::optional<LogMark> at_end_of(std::string_view batch);
};

struct LogEnd {
  std::uint64_t bytes = 0;    // of whole records, from the beginning
  bool torn = false;          // something else follows
  bool acknowledged = false;  // some of this log was synced: a whole record says so
  bool damaged = false;       // what follows was synced as well, says a later record
};

// `file` from its beginning; `log` is its number. An error: it cannot be read.
rocksdb::IOStatus find_log_end(rocksdb::FSSequentialFile& file, std::uint64_t log, LogEnd& end);

}  // namespace carrel::store
