#include "store/judge.h"

#include <algorithm>

#include "store/expiry_index.h"
#include "store/part_list.h"

namespace carrel::store {

struct Judge::Effects {
  std::shared_ptr<Account> account;
  std::int64_t bytes = 0, names = 0;                // by how much the account changes
  std::vector<Before> before;                       // of changes, in their order
  std::vector<std::pair<std::int64_t, bool>> sums;  // of additions; whether the name is new
  std::unordered_map<std::string, std::optional<std::string>> ledger;
};

Judge::Judge(std::shared_ptr<Database> database, const TicketTable& tickets, SlotTable& slots,
             UsageTable& usage, Version first, std::function<WallTime()> wall)
    : database_(std::move(database)),
      tickets_(tickets),
      slots_(slots),
      usage_(usage),
      first_(first),
      wall_(std::move(wall)) {}

void Judge::begin(Version version) {
  version_ = version;
  writes_.clear();
  overlay_.clear();
  texts_.clear();
  overwritten_.clear();
  touched_.clear();
}

std::string_view Judge::keep(std::string text) { return texts_.emplace_back(std::move(text)); }

void Judge::set(std::string_view key, Text value) {
  const Written written{.value = value, .by = overwritten_.size() - 1};
  const auto [at, fresh] = overlay_.try_emplace(key, written);
  if (fresh) return;
  if (at->second.by != written.by) overwritten_[at->second.by] = true;
  at->second = written;
}

Result<std::optional<std::string>> Judge::newest(std::string_view key) const {
  if (const auto found = overlay_.find(key); found != overlay_.end()) {
    if (!found->second.value) return std::optional<std::string>();
    return std::string(*found->second.value);
  }
  return database_->get(key);
}

std::vector<std::uint64_t> Judge::lost_by(const Changes& changes) {
  std::vector<std::uint64_t> lost;
  const auto held = [&](std::uint64_t hash) {
    return tickets_.held_by_other(hash, changes.holder);
  };
  bool moved = false;
  for (const std::uint64_t hash : changes.reads) {
    const bool is_moved = slots_.last_write(slot_of(hash)) > changes.snapshot;
    moved |= is_moved;
    if (is_moved || held(hash)) lost.push_back(hash);
  }
  for (const Change& change : changes.changes) {
    if (held(change.hash)) lost.push_back(change.hash);
    if (held(change.store)) lost.push_back(change.store);
    std::ranges::copy_if(change.folders, std::back_inserter(lost), held);
  }
  std::ranges::sort(lost);
  lost.erase(std::ranges::unique(lost).begin(), lost.end());
  if (!lost.empty()) ++(moved ? counts_.conflicts : counts_.ticket_refusals);
  return lost;
}

Result<Before> Judge::before(const Changes& changes, const Change& change) const {
  const bool still = slots_.last_write(slot_of(change.hash)) <= changes.snapshot;
  if (change.before.known && still) return change.before;
  CARREL_TRY(const auto stored, newest(change.key));
  if (!stored) return before_of(change.kind, {}, {});
  const auto record = view_record(*stored);
  const auto key = decode(change.key);
  if (!record || !key) return fail(Code::data_corrupt, "a stored record is damaged");
  return before_of(change.kind, key->name, record);
}

LedgerAccess Judge::ledger_of(Effects& effects) const {
  return {.get = [this, &effects](std::string_view key) -> Result<std::optional<std::string>> {
            const auto at = effects.ledger.find(std::string(key));
            if (at != effects.ledger.end()) return at->second;
            return newest(key);
          },
          .set =
              [&effects](std::string key, std::optional<std::string> value) {
                effects.ledger.insert_or_assign(std::move(key), std::move(value));
              }};
}

Result<void> Judge::count_change(const Changes& changes, const Change& change, Effects& effects) {
  CARREL_TRY(const Before was, before(changes, change));
  effects.before.push_back(was);
  if (is_charged(change.kind)) {
    effects.bytes += static_cast<std::int64_t>(change.record ? change.charge : 0) -
                     static_cast<std::int64_t>(was.existed ? was.charge : 0);
    effects.names += (change.record ? 1 : 0) - (was.existed ? 1 : 0);
  }
  if (!refers_to_parts(change.kind)) return {};

  std::optional<std::string> old;
  if (was.existed) {
    CARREL_TRY(old, newest(change.key));
  }
  const auto bytes = [](const std::optional<std::string>& encoded) -> Text {
    if (!encoded) return {};
    const auto record = view_record(*encoded);
    return record ? record->bytes : std::string_view();
  };
  return account_parts(ledger_of(effects), changes.tenant.str(), bytes(old), bytes(change.record),
                       wall_(), change.kind);
}

Result<void> Judge::count_addition(const Changes& changes, const Addition& addition,
                                   Effects& effects) {
  std::optional<std::string> stored;
  const auto own = std::ranges::lower_bound(changes.changes, addition.key, {}, &Change::key);
  if (own != changes.changes.end() && own->key == addition.key) {
    stored = own->record;
  } else {
    CARREL_TRY(stored, newest(addition.key));
  }
  std::int64_t count = 0;
  if (stored) {
    const auto record = view_record(*stored);
    const auto decoded = record ? decode_count(record->bytes) : std::nullopt;
    if (!decoded) return fail(Code::data_corrupt, "a stored counter is damaged");
    count = *decoded;
  } else {
    effects.bytes += static_cast<std::int64_t>(addition.name_bytes + 8);
    ++effects.names;
  }
  std::int64_t sum = 0;
  if (__builtin_add_overflow(count, addition.delta, &sum) ||
      (addition.floor && sum < *addition.floor)) {
    ++counts_.floors;
    return fail(Code::below_floor, "a counter would fall below its floor, or overflow");
  }
  effects.sums.emplace_back(sum, !stored);
  return {};
}

Result<Judge::Effects> Judge::effects_of(const Changes& changes) {
  Effects effects;
  CARREL_TRY(effects.account, usage_.load(changes.tenant, *database_));
  effects.before.reserve(changes.changes.size());
  for (const Change& change : changes.changes) {
    CARREL_TRY_VOID(count_change(changes, change, effects));
  }
  for (const Addition& addition : changes.additions) {
    CARREL_TRY_VOID(count_addition(changes, addition, effects));
  }
  for (const std::string& garbage : changes.garbage) {
    CARREL_TRY_VOID(forget_part(ledger_of(effects), garbage));
  }
  const auto after = effects.account->bytes.load(std::memory_order_relaxed) + effects.bytes;
  if (effects.bytes > 0 &&
      static_cast<std::uint64_t>(std::max<std::int64_t>(after, 0)) > changes.quota) {
    ++counts_.quotas;
    return fail(Code::quota_exceeded, "the tenant's storage quota is used up");
  }
  if (const Subtree* const full = without_room(*effects.account->subtree, effects.bytes)) {
    ++counts_.quotas;
    return fail(Code::quota_exceeded, used_up(*full));
  }
  return effects;
}

void Judge::set_expiry(const Change& change, std::uint64_t expires, Text value) {
  set(keep(expiry_key(*decode(change.key), expires)), value);
}

void Judge::apply(const Changes& changes, Effects& effects) {
  for (std::size_t i = 0; i < changes.changes.size(); ++i) {
    const Change& change = changes.changes[i];
    const Before& was = effects.before[i];
    set(change.key, change.record ? Text(*change.record) : Text());
    if (was.expires != change.expires || !change.record) {
      if (was.existed && was.expires != 0) set_expiry(change, was.expires, {});
      if (change.record && change.expires != 0) set_expiry(change, change.expires, Text(""));
    }
    stamp(change.hash);
    stamp(change.store);
    // What had an expiry may have been out of sight.
    if (was.existed != change.record.has_value() || was.expires != 0) {
      for (const auto folder : change.folders) stamp(folder);
    }
  }
  for (std::size_t i = 0; i < changes.additions.size(); ++i) {
    const Addition& addition = changes.additions[i];
    const auto [sum, created] = effects.sums[i];
    set(addition.key, keep(encode(Record{.bytes = encode_count(sum)})));
    stamp(addition.hash);
    stamp(addition.store);
    if (!created) continue;
    for (const auto folder : addition.folders) stamp(folder);
  }
  for (auto& [key, value] : effects.ledger) {
    const auto kept = keep(key);
    set(kept, value ? Text(keep(std::move(*value))) : Text());
  }
  if (effects.bytes != 0 || effects.names != 0) {
    effects.account->bytes += effects.bytes;
    effects.account->names += effects.names;
    count(*effects.account->subtree, effects.bytes);
    touched_.try_emplace(changes.tenant, effects.account);
  }
}

Verdict Judge::decide(const Changes& changes) {
  overwritten_.push_back(false);
  if (changes.snapshot < first_) {
    ++counts_.conflicts;
    return {.refused = Error(Code::conflict, "the store was opened again after it was read")};
  }
  if (auto lost = lost_by(changes); !lost.empty()) {
    return {.refused = Error(Code::conflict, "what it read has changed"), .lost = std::move(lost)};
  }
  auto effects = effects_of(changes);
  if (!effects) return {.refused = std::move(effects).error()};
  apply(changes, *effects);
  ++counts_.commits;
  counts_.bytes += changes.bytes;
  return {.version = version_};
}

// Each key once, in order: a walk through the memtable, not a search for each.
WriteSet& Judge::finish() {
  for (const auto& [tenant, account] : touched_) {
    set(keep(usage_key(tenant)), keep(encode_usage(account->bytes, account->names)));
  }
  sorted_.clear();
  for (const auto& [key, written] : overlay_) sorted_.emplace_back(key, written.value);
  std::ranges::sort(sorted_, {}, &std::pair<std::string_view, Text>::first);
  for (const auto& [key, value] : sorted_) {
    if (value) {
      writes_.put(key, *value);
    } else {
      writes_.erase(key);
    }
  }
  return writes_;
}

}  // namespace carrel::store
