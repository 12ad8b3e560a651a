// Where what was written to a log ends.
//
// A log is written ahead with zeros (database_log_files.h), so its file's end says nothing, and
// after a loss of power any of what was not synced may be there and any not. It was acknowledged to
// nobody and goes; a damaged record that was on the disk may not. What tells them apart are marks:
// at the end of each batch stands how much of the log was synced before it was written.
//
// Source of the log's format: RocksDB's wiki, "Write Ahead Log File Format".
#pragma once

#include <rocksdb/file_system.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace carrel::store {

// How much of a log was on the disk.
struct LogMark {
  static constexpr std::size_t kBytes = 25;

  std::uint64_t store = 0;  // the store's secret number: who does not know it cannot write a mark
  std::uint64_t log = 0;    // its number
  std::uint64_t bytes = 0;  // of whole batches
  bool ahead = false;       // zeros were written behind them

  bool operator==(const LogMark&) const = default;
  std::array<char, kBytes> encode() const;
  // Of the batch that ends with it. Nothing: there is none.
  static std::optional<LogMark> at_end_of(std::string_view batch);
};

struct LogEnd {
  std::uint64_t bytes = 0;    // of whole batches, from the beginning
  std::uint64_t first = 0;    // the number of the first change in them; 0: they hold none
  std::uint64_t next = 0;     // and of the one after the last
  bool ahead = false;         // written ahead
  bool torn = false;          // something follows that is no whole batch
  bool damaged = false;       // and was synced, as a later batch says
  bool acknowledged = false;  // some of this log was synced, as a batch says
};

// `file` from its beginning; `log` is its number. An error: it cannot be read.
rocksdb::IOStatus find_log_end(rocksdb::FSSequentialFile& file, std::uint64_t log,
                               std::uint64_t store, LogEnd& end);

// Of a piece of a log: its kind and what it holds.
std::uint32_t log_checksum(std::string_view kind_and_payload);

}  // namespace carrel::store
