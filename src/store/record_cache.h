// Records that were read or written lately, so that a name asked for again is not looked up in the
// database again: one of the node, as a shard is likely to ask for what another one wrote.
//
// An entry says what a name held as of one version. For a snapshot it is good if nothing wrote the
// name between the two, and the slots say so (slots.h): the name's last write is no later than the
// older of them. A slot that two names share only makes an entry useless, never wrong. Who writes a
// name tells the cache nothing; the slot does.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/second_chance.h"
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

// Owner: the Store. Thread-safe: it has stripes, each with a lock that is held for a look, and
// while it makes room.
class RecordCache {
 public:
  // `bytes`: the most it holds, about; each stripe has its share.
  RecordCache(const SlotTable& slots, std::size_t bytes, std::size_t stripes = 64);

  // Null: not known as of the snapshot. `hash`: of the key.
  std::shared_ptr<const ReadRecord> find(std::uint64_t hash, std::string_view key,
                                         const Snapshot& snapshot);
  // Whether a record of so many bytes is kept: reading more costs more than finding it.
  static bool takes(std::size_t bytes) { return bytes <= 4096; }
  // What the key held as of `version`. Large records and errors are not kept.
  void keep(std::uint64_t hash, Version version, std::shared_ptr<const ReadRecord> read);

  std::size_t bytes() const;

 private:
  struct Entry {
    Version version{};
    std::shared_ptr<const ReadRecord> read;
    bool used = false;  // since it was last looked at
  };
  struct alignas(64) Stripe {
    mutable std::mutex mutex;
    std::size_t bytes = 0;
    boost::unordered_flat_map<std::uint64_t, Entry> entries;
    SecondChance<std::uint64_t> order;  // of the hashes
  };
  // The table's buckets use a hash's other end.
  Stripe& stripe_of(std::uint64_t hash) { return stripes_[(hash >> 32) % stripes_.size()]; }
  static std::size_t bytes_of(const ReadRecord& read);
  void make_room(Stripe& stripe) const;

  const SlotTable& slots_;
  const std::size_t most_;  // bytes a stripe
  std::vector<Stripe> stripes_;
};

}  // namespace carrel::store
