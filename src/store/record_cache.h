// Records that were read or written lately on a shard, so that a name asked for again is not
// looked up in the database again.
//
// An entry says what a name held as of one version. For a snapshot it is good if nothing wrote the
// name between the two, and the slots say so (slots.h): the name's last write is no later than the
// older of them. A slot that two names share only makes an entry useless, never wrong. Who writes a
// name tells nobody's cache; the slot does.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/changes.h"
#include "store/record.h"
#include "store/slots.h"
#include "store/snapshot.h"

namespace carrel::store {

// What was found under a key. Immutable.
struct ReadRecord {
  std::string key;  // encoded
  Result<std::optional<Record>> record;
  Before before;
};

// Owner: the shard's part of the store. Thread: the shard's. `bytes`: the most it holds, about.
class RecordCache {
 public:
  RecordCache(const SlotTable& slots, std::size_t bytes) : slots_(slots), most_(bytes) {}

  // Null: not known as of the snapshot. `hash`: of the key.
  std::shared_ptr<const ReadRecord> find(std::uint64_t hash, std::string_view key,
                                         const Snapshot& snapshot);
  // Whether a record of so many bytes is kept: reading more costs more than finding it.
  static bool takes(std::size_t bytes) { return bytes <= 4096; }
  // What the key held as of `version`. Large records and errors are not kept.
  void keep(std::uint64_t hash, Version version, std::shared_ptr<const ReadRecord> read);

  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    Version version{};
    std::shared_ptr<const ReadRecord> read;
    bool used = false;  // since the hand went by
  };
  static std::size_t bytes_of(const ReadRecord& read);
  void make_room();

  const SlotTable& slots_;
  const std::size_t most_;
  std::size_t bytes_ = 0;
  boost::unordered_flat_map<std::uint64_t, Entry> entries_;
  std::deque<std::uint64_t> order_;  // hashes, each once; the one to go first in front
};

}  // namespace carrel::store
