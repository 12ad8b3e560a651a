#include "store/record_cache.h"

#include <algorithm>
#include <utility>

namespace carrel::store {
namespace {

constexpr std::size_t kOverhead = 320;  // bytes an entry takes beside its texts, about

}  // namespace

std::size_t RecordCache::bytes_of(const ReadRecord& read) {
  return kOverhead + read.key.size() + (*read.record ? (*read.record)->bytes.size() : 0);
}

std::shared_ptr<const ReadRecord> RecordCache::find(std::uint64_t hash, std::string_view key,
                                                    const Snapshot& snapshot) {
  const auto at = entries_.find(hash);
  if (at == entries_.end()) return nullptr;
  Entry& entry = at->second;
  // What was seen before the database was opened again may have been lost with the failure.
  if (entry.version < snapshot.opened || entry.read->key != key) return nullptr;
  if (slots_.last_write(slot_of(hash)) > std::min(entry.version, snapshot.version)) return nullptr;
  entry.used = true;
  return entry.read;
}

void RecordCache::keep(std::uint64_t hash, Version version,
                       std::shared_ptr<const ReadRecord> read) {
  if (!read->record || (*read->record && !takes((*read->record)->bytes.size()))) return;
  const auto [at, fresh] = entries_.try_emplace(hash);
  Entry& entry = at->second;
  if (fresh) {
    order_.push_back(hash);
  } else {
    if (version < entry.version) return;
    bytes_ -= bytes_of(*entry.read);
  }
  bytes_ += bytes_of(*read);
  entry.version = version;
  entry.read = std::move(read);
  if (bytes_ > most_) make_room();
}

// The oldest goes, unless it has been used since it was last looked at.
void RecordCache::make_room() {
  while (bytes_ > most_) {
    const std::uint64_t hash = order_.front();
    order_.pop_front();
    const auto at = entries_.find(hash);
    if (std::exchange(at->second.used, false)) {
      order_.push_back(hash);
      continue;
    }
    bytes_ -= bytes_of(*at->second.read);
    entries_.erase(at);
  }
}

}  // namespace carrel::store
