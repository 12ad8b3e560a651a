#include "store/expiry_index.h"

#include "store/record.h"
#include "store/time_walk.h"

namespace carrel::store {

std::string expiry_key(const Key& record, std::uint64_t expires) {
  std::string name = encode_count(static_cast<std::int64_t>(expires));
  name += static_cast<char>(record.kind);
  name += static_cast<char>(record.store.size());
  name += record.store;
  name += record.name;
  return encode(Key{.tenant = record.tenant, .kind = Kind::expiry, .store = {}, .name = name});
}

std::optional<Key> expiring_record(const Key& entry) {
  if (entry.name.size() < kTimeBytes + 2) return {};
  const std::string_view rest = entry.name.substr(kTimeBytes);
  const auto store = static_cast<std::uint8_t>(rest[1]);
  if (rest.size() < 2U + store) return {};
  return Key{.tenant = entry.tenant,
             .kind = static_cast<Kind>(rest[0]),
             .store = rest.substr(2, store),
             .name = rest.substr(2U + store)};
}

}  // namespace carrel::store
