// Slots: which data a turn depends on, by hash, and when it was last written.
//
// A table of fixed size holds the version of the last write for every slot. A turn that read a slot
// which has been written since its snapshot may have read something old. Two names can share a
// slot: then a turn is run again without need, but a conflict is never missed.
//
// Beside its own slot, a name has those of the folders above it: creating and deleting it stamps
// them, because it changes what a listing shows. The first 16 folders have slots of their own, the
// rest share the 16th's. Its store has one as well, which every write stamps: for turns that have
// read too much to be recorded name by name.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "store/key.h"
#include "store/version.h"

namespace carrel::store {

inline constexpr unsigned kSlotBits = 20;
inline constexpr unsigned kMostFolders = 16;

using Slot = std::uint32_t;

// Keyed with random bytes of the process, so that nobody can aim at another's slots.
std::uint64_t hash_of(std::string_view bytes);
inline Slot slot_of(std::uint64_t hash) { return static_cast<Slot>(hash >> (64 - kSlotBits)); }

std::uint64_t hash_of_name(const Key& key);
// The folder `path` of a store: "" is the store's root, "a/b" what is below it. `key.name` is the
// path.
std::uint64_t hash_of_folder(const Key& key);
std::uint64_t hash_of_store(const Key& key);
// Hashes of the folders above a name, nearest last: "" first, then "a", then "a/b".
std::vector<std::uint64_t> folders_above(const Key& key);

// Owner: the committer. Thread: the committer's writes; any reads.
class SlotTable {
 public:
  SlotTable();
  Version last_write(Slot slot) const;
  void stamp(Slot slot, Version version);

 private:
  std::unique_ptr<std::atomic<std::uint64_t>[]> stamps_;
};

}  // namespace carrel::store
