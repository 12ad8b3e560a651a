// What a turn changes, kept within its limits until it is committed.
#include <algorithm>

#include "store/transaction_impl.h"

namespace carrel::store {

// The turn's own entry for a name, made if it has none, with room for `size` bytes of it. Without
// room nothing has changed: an entry that stayed empty would be committed as an erased name.
Result<Own*> Transaction::Impl::change(const Place& place, std::string_view name,
                                       std::size_t size) {
  CARREL_TRY_VOID(begin());
  const auto wanted = static_cast<std::int64_t>(size);
  std::string key = encode(key_of(place, name));
  const bool charged = is_charged(place.kind);
  if (const auto found = own.find(key); found != own.end()) {
    if (!charged) replaced += size;
    CARREL_TRY_VOID(room(wanted - static_cast<std::int64_t>(found->second.record.bytes.size())));
    return &found->second;
  }
  if (own.size() + sums.size() >= limits.effects) {
    return fail(Code::effects_limit, "a turn changed too many names");
  }
  CARREL_TRY_VOID(fits(wanted + static_cast<std::int64_t>(name.size())));
  Own fresh{.place = place, .name = std::string(name)};
  fresh.before = before(key);
  bytes += name.size();
  replaced += charged ? fresh.before.charge : name.size() + size;
  if (!charged) {
    bytes += size;
    return &own.emplace(std::move(key), std::move(fresh)).first->second;
  }
  if (auto enough = within_quota(wanted); !enough) {
    bytes -= name.size();
    replaced -= fresh.before.charge;
    return std::unexpected(std::move(enough).error());
  }
  bytes += size;
  return &own.emplace(std::move(key), std::move(fresh)).first->second;
}

Result<void> Transaction::Impl::fits(std::int64_t more) const {
  if (more > 0 && bytes + static_cast<std::uint64_t>(more) > limits.bytes) {
    return fail(Code::effects_limit, "a turn changed too many bytes");
  }
  return {};
}

Result<void> Transaction::Impl::within_quota(std::int64_t more) const {
  if (more <= 0) return {};
  if (!account) account = store.usage.find(tenant);
  if (!account && limits.quota == kNoQuota) return {};
  // Known to be too much only if all that the turn replaces would not make room for it.
  const std::uint64_t stored = bytes + weights + static_cast<std::uint64_t>(more);
  const auto used = account ? static_cast<std::uint64_t>(account->bytes.load()) : 0;
  if (limits.quota != kNoQuota && used + stored > limits.quota + replaced)
    return fail(Code::quota_exceeded, "the tenant's storage quota is used up");
  if (!account) return {};
  const auto added = static_cast<std::int64_t>(stored) - static_cast<std::int64_t>(replaced);
  if (const Subtree* const full = without_room(*account->subtree, added))
    return fail(Code::quota_exceeded, used_up(*full));
  return {};
}

Result<void> Transaction::Impl::room(std::int64_t more) {
  CARREL_TRY_VOID(fits(more));
  CARREL_TRY_VOID(within_quota(more));
  bytes =
      static_cast<std::size_t>(std::max<std::int64_t>(static_cast<std::int64_t>(bytes) + more, 0));
  return {};
}

Result<void> Transaction::Impl::weigh(Own& mine, std::uint64_t weight) {
  const auto more = static_cast<std::int64_t>(weight) - static_cast<std::int64_t>(mine.weight);
  CARREL_TRY_VOID(within_quota(more));
  weights += static_cast<std::uint64_t>(more);
  mine.weight = weight;
  return {};
}

Mark Transaction::Impl::mark(std::string key) const {
  Mark mark{
      .key = std::move(key), .own = {}, .bytes = bytes, .weights = weights, .replaced = replaced};
  if (const auto found = own.find(mark.key); found != own.end()) mark.own = found->second;
  return mark;
}

void Transaction::Impl::go_back(Mark mark) {
  bytes = mark.bytes;
  weights = mark.weights;
  replaced = mark.replaced;
  if (mark.own) {
    own.insert_or_assign(std::move(mark.key), std::move(*mark.own));
  } else {
    own.erase(mark.key);
  }
}

Result<void> Transaction::put(const Place& place, std::string_view name, Record record) {
  CARREL_TRY(Own* const own, impl_->change(place, name, record.bytes.size()));
  own->there = true;
  own->record = std::move(record);
  return {};
}

Result<void> Transaction::erase(const Place& place, std::string_view name) {
  CARREL_TRY(Own* const own, impl_->change(place, name, 0));
  own->there = false;
  own->record = {};
  return impl_->weigh(*own, 0);
}

Result<void> Transaction::move(const Place& place, std::string_view name, const Place& to,
                               std::string_view new_name, Record record, std::uint64_t weight) {
  Mark source = impl_->mark(encode(impl_->key_of(place, name)));
  Mark target = impl_->mark(encode(impl_->key_of(to, new_name)));
  auto done = erase(place, name);  // first: its room is what the new name needs
  if (done) done = put(to, new_name, std::move(record));
  if (done) done = set_weight(to, new_name, weight);
  if (done) return {};
  impl_->go_back(std::move(target));
  impl_->go_back(std::move(source));
  return done;
}

Result<Record*> Transaction::edit(const Place& place, std::string_view name) {
  CARREL_TRY_VOID(impl_->begin());
  const std::string key = encode(impl_->key_of(place, name));
  auto found = impl_->own.find(key);
  if (found != impl_->own.end()) {
    found->second.there = true;
    return &found->second.record;
  }
  const auto read = impl_->find_kept(key);
  if (read == nullptr) return fail(Code::internal, "a record is edited that was not just read");
  if (!read->record) return std::unexpected(read->record.error());
  Record copy;
  if (*read->record && impl_->is_there(**read->record)) copy = **read->record;
  CARREL_TRY_VOID(put(place, name, std::move(copy)));
  return &impl_->own.find(key)->second.record;
}

Result<void> Transaction::grow(const Place&, std::string_view, std::int64_t more) {
  return impl_->room(more);
}

Result<void> Transaction::set_weight(const Place& place, std::string_view name,
                                     std::uint64_t weight) {
  const auto own = impl_->own.find(encode(impl_->key_of(place, name)));
  if (own == impl_->own.end()) return fail(Code::internal, "what is weighed was not changed");
  return impl_->weigh(own->second, weight);
}

Result<void> Transaction::add(std::string_view store, std::string_view name, std::int64_t delta,
                              std::optional<std::int64_t> floor) {
  CARREL_TRY_VOID(impl_->begin());
  const Place place{.kind = Kind::counter, .store = std::string(store)};
  const std::string key = encode(impl_->key_of(place, name));
  auto found = impl_->sums.find(key);
  if (found == impl_->sums.end()) {
    if (impl_->own.size() + impl_->sums.size() >= impl_->limits.effects) {
      return fail(Code::effects_limit, "a turn changed too many names");
    }
    CARREL_TRY_VOID(impl_->room(static_cast<std::int64_t>(name.size() + 8)));
    found = impl_->sums.emplace(key, Impl::Sum{place.store, std::string(name), 0, {}}).first;
  }
  Impl::Sum& sum = found->second;
  std::int64_t total = 0;
  if (__builtin_add_overflow(sum.delta, delta, &total)) {
    return fail(Code::invalid_argument, "the sum of what is added does not fit 64 bits");
  }
  sum.delta = total;
  if (floor) sum.floor = std::max(*floor, sum.floor.value_or(*floor));
  return {};
}

}  // namespace carrel::store
