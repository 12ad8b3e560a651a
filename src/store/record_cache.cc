#include "store/record_cache.h"

#include <algorithm>
#include <utility>

namespace carrel::store {
namespace {

constexpr std::size_t kOverhead = 320;  // bytes an entry takes beside its texts, about

}  // namespace

RecordCache::RecordCache(const SlotTable& slots, std::size_t bytes, std::size_t stripes)
    : slots_(slots), most_(bytes / stripes), stripes_(stripes) {}

std::size_t RecordCache::bytes() const {
  std::size_t sum = 0;
  for (const Stripe& stripe : stripes_) {
    const std::lock_guard lock(stripe.mutex);
    sum += stripe.bytes;
  }
  return sum;
}

std::size_t RecordCache::bytes_of(const ReadRecord& read) {
  return kOverhead + read.key.size() + (*read.record ? (*read.record)->bytes.size() : 0);
}

std::shared_ptr<const ReadRecord> RecordCache::find(std::uint64_t hash, std::string_view key,
                                                    const Snapshot& snapshot) {
  Stripe& stripe = stripe_of(hash);
  const std::lock_guard lock(stripe.mutex);
  const auto at = stripe.entries.find(hash);
  if (at == stripe.entries.end()) return nullptr;
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
  Stripe& stripe = stripe_of(hash);
  const std::lock_guard lock(stripe.mutex);
  const auto [at, fresh] = stripe.entries.try_emplace(hash);
  Entry& entry = at->second;
  if (fresh) {
    stripe.order.add(hash);
  } else {
    if (version < entry.version) return;
    stripe.bytes -= bytes_of(*entry.read);
  }
  stripe.bytes += bytes_of(*read);
  entry.version = version;
  entry.read.swap(read);  // what it was goes after the lock
  if (stripe.bytes > most_) make_room(stripe);
}

void RecordCache::make_room(Stripe& stripe) const {
  while (stripe.bytes > most_) {
    const auto at = stripe.order.next(stripe.entries);
    stripe.bytes -= bytes_of(*at->second.read);
    stripe.entries.erase(at);
  }
}

}  // namespace carrel::store
