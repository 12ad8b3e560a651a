#include "store/time_walk.h"

#include "store/database.h"
#include "store/record.h"

namespace carrel::store {

Result<void> TimeWalk::step(const Snapshot& snapshot, std::uint64_t until, const Visit& visit) {
  using State = Cursor::State;
  constexpr int kMostTenants = 256;
  Cursor cursor(snapshot.view, "", Reach::disk);
  int tenants = 0;
  State state = cursor.seek(from_);
  while (state == State::valid) {
    const auto first = decode(cursor.key());
    if (!first) {
      state = cursor.next();
      continue;
    }
    const std::string tenant(first->tenant);
    from_ = prefix_of(tenant);
    if (++tenants > kMostTenants) return {};
    const std::string times = prefix_of(tenant, list_);
    for (state = cursor.seek(times); state == State::valid && cursor.key().starts_with(times);
         state = cursor.next()) {
      const auto entry = decode(cursor.key());
      const auto time = entry ? decode_count(entry->name.substr(0, kTimeBytes)) : std::nullopt;
      if (!time) continue;
      if (static_cast<std::uint64_t>(*time) > until) break;
      if (!visit(*entry, static_cast<std::uint64_t>(*time))) return {};
    }
    if (state == State::failed) break;
    from_ = end_of(prefix_of(tenant));
    state = from_.empty() ? State::end : cursor.seek(from_);
  }
  from_.clear();
  if (state == State::failed) return std::unexpected(cursor.error());
  return {};
}

}  // namespace carrel::store
