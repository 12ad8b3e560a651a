#include "cli/turn_store.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <iterator>

#include "cli/case_blobs.h"

namespace carrel::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostOthers = 256;

// Cases are small; what is opened and gone at once should cost little.
store::StoreOptions options_for(const fs::path& folder, const Clock& clock) {
  return {.folder = folder, .cache_bytes = 8ULL << 20, .io_threads = 1, .clock = &clock};
}

// Somebody who sets state may set any amount of it.
constexpr store::TransactionLimits kUnlimited{
    .effects = SIZE_MAX, .bytes = SIZE_MAX, .sync = store::Sync::interval};

store::Place place_of(store::Kind kind, const app::StateName& name) {
  return {.kind = kind, .store = name.store};
}

// Nothing: it is not there.
async::Task<Result<std::optional<store::Record>>> read(store::Transaction* transaction,
                                                       store::Place place, std::string name) {
  CARREL_CO_TRY(const store::Record* const found,
                co_await transaction->read(std::move(place), std::move(name), store::Track::no));
  co_return found == nullptr ? std::nullopt : std::optional(*found);
}

async::Task<Result<void>> write(store::Transaction* transaction, store::Place place,
                                std::string name, store::Record record) {
  CARREL_CO_TRY_VOID(co_await read(transaction, place, name));
  co_return transaction->put(place, name, std::move(record));
}

async::Task<Result<void>> put_all(store::Transaction* transaction, CaseBlobs* blobs,
                                  const TenantName* tenant, const store::Sealer* sealer,
                                  const app::CaseState* state) {
  for (const app::StateValue& value : state->values) {
    store::Record record{.bytes = value.bytes,
                         .expires = value.expires ? store::milliseconds(*value.expires) : 0};
    CARREL_CO_TRY_VOID(co_await write(transaction, place_of(store::Kind::value, value.name),
                                      value.name.key, std::move(record)));
  }
  for (const app::StateCount& counter : state->counters) {
    CARREL_CO_TRY_VOID(
        transaction->add(counter.name.store, counter.name.key, counter.count, std::nullopt));
  }
  for (const app::StateValue& blob : state->blobs) CARREL_CO_TRY_VOID(co_await blobs->put(&blob));
  for (const auto& [name, secret] : state->secrets) {
    store::Record record{.bytes = sealer->seal(*tenant, name, secret)};
    CARREL_CO_TRY_VOID(co_await write(transaction, {.kind = store::Kind::secret, .store = ""}, name,
                                      std::move(record)));
  }
  CARREL_CO_TRY_VOID(co_await transaction->commit());
  co_return Result<void>();
}

async::Task<Result<std::vector<app::StateName>>> names_in(store::Transaction* transaction,
                                                          store::Place place, std::size_t most) {
  CARREL_CO_TRY(const store::NamePage page, co_await transaction->read_names(place, "", "", most));
  std::vector<app::StateName> names;
  names.reserve(page.entries.size());
  for (const store::NameEntry& entry : page.entries) {
    names.push_back({.store = place.store, .key = entry.name});
  }
  co_return names;
}

async::Task<Result<void>> add_others(store::Transaction* transaction, std::string store,
                                     FoundState* found) {
  if (std::ranges::find(found->others, store, &app::StateName::store) != found->others.end()) {
    co_return Result<void>();
  }
  const store::Place place{.kind = store::Kind::value, .store = std::move(store)};
  CARREL_CO_TRY(auto names, co_await names_in(transaction, place, kMostOthers));
  std::ranges::move(names, std::back_inserter(found->others));
  co_return Result<void>();
}

async::Task<Result<void>> look_for_value(store::Transaction* transaction, app::StateName name,
                                         FoundState* found) {
  auto record = co_await read(transaction, place_of(store::Kind::value, name), name.key);
  if (!record) co_return std::unexpected(std::move(record).error());
  if (!*record) co_return Result<void>();
  app::StateValue value{.name = std::move(name), .bytes = std::move((*record)->bytes)};
  if ((*record)->expires != 0) {
    value.expires = WallTime(std::chrono::milliseconds((*record)->expires));
  }
  found->values.push_back(std::move(value));
  co_return Result<void>();
}

async::Task<Result<void>> look_for_counter(store::Transaction* transaction, app::StateName name,
                                           FoundState* found) {
  auto record = co_await read(transaction, place_of(store::Kind::counter, name), name.key);
  if (!record) co_return std::unexpected(std::move(record).error());
  if (!*record) co_return Result<void>();
  const auto count = store::decode_count((*record)->bytes);
  if (!count) co_return fail(Code::data_corrupt, "a counter's record holds no count");
  found->counters.push_back({.name = std::move(name), .count = *count});
  co_return Result<void>();
}

async::Task<Result<void>> look_for_blob(CaseBlobs* blobs, app::StateName name, FoundState* found) {
  auto bytes = co_await blobs->get(name);
  if (!bytes) co_return std::unexpected(std::move(bytes).error());
  if (*bytes) found->blobs.push_back({.name = std::move(name), .bytes = std::move(**bytes)});
  co_return Result<void>();
}

async::Task<Result<void>> look_for_all(store::Transaction* transaction, CaseBlobs* blobs,
                                       const app::CaseEffects* effects, FoundState* found) {
  for (const app::StateValue& value : effects->values) {
    CARREL_CO_TRY_VOID(co_await look_for_value(transaction, value.name, found));
    if (found->values.empty() || found->values.back().name != value.name) {
      CARREL_CO_TRY_VOID(co_await add_others(transaction, value.name.store, found));
    }
  }
  for (const app::StateName& name : effects->absent) {
    CARREL_CO_TRY_VOID(co_await look_for_value(transaction, name, found));
  }
  for (const app::StateCount& counter : effects->counters) {
    CARREL_CO_TRY_VOID(co_await look_for_counter(transaction, counter.name, found));
  }
  for (const app::StateValue& blob : effects->blobs) {
    CARREL_CO_TRY_VOID(co_await look_for_blob(blobs, blob.name, found));
  }
  for (const app::StateName& name : effects->absent_blobs) {
    CARREL_CO_TRY_VOID(co_await look_for_blob(blobs, name, found));
  }
  co_return Result<void>();
}

async::Task<Result<void>> collect(store::Transaction* transaction, CaseBlobs* blobs,
                                  const turn::Grants* grants, std::size_t most, FoundState* found) {
  for (const turn::StoreGrant& grant : grants->kv) {
    const store::Place place{.kind = store::Kind::value, .store = grant.store};
    CARREL_CO_TRY(const auto names, co_await names_in(transaction, place, most));
    for (const app::StateName& name : names) {
      CARREL_CO_TRY_VOID(co_await look_for_value(transaction, name, found));
    }
    most -= std::min(most, names.size());
  }
  for (const turn::StoreGrant& grant : grants->counters) {
    const store::Place place{.kind = store::Kind::counter, .store = grant.store};
    CARREL_CO_TRY(const auto names, co_await names_in(transaction, place, most));
    for (const app::StateName& name : names) {
      CARREL_CO_TRY_VOID(co_await look_for_counter(transaction, name, found));
    }
    most -= std::min(most, names.size());
  }
  for (const turn::StoreGrant& grant : grants->blobs) {
    const store::Place place{.kind = store::Kind::blob, .store = grant.store};
    CARREL_CO_TRY(const auto names, co_await names_in(transaction, place, most));
    for (const app::StateName& name : names) {
      CARREL_CO_TRY_VOID(co_await look_for_blob(blobs, name, found));
    }
    most -= std::min(most, names.size());
  }
  co_return Result<void>();
}

async::Task<void> keep(async::Task<Result<void>> task, Result<void>* result) {
  *result = co_await std::move(task);
}

Result<NodeKey> random_key() {
  NodeKey key;
  if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size())) {
    return fail(Code::io, "the system gives no random bytes");
  }
  return key;
}

}  // namespace

Result<std::unique_ptr<TurnStore>> TurnStore::temporary(async::Shard& shard, const Clock& clock,
                                                        store::Reach looks) {
  CARREL_TRY(const NodeKey key, random_key());
  CARREL_TRY(auto scratch, ScratchFolder::make());
  store::StoreOptions options = options_for(scratch->path() / "store", clock);
  options.looks = looks;
  CARREL_TRY(auto store, store::Store::open(options));
  return std::unique_ptr<TurnStore>(
      new TurnStore(shard, std::move(scratch), std::move(store), key));
}

Result<std::unique_ptr<TurnStore>> TurnStore::kept(async::Shard& shard, const Clock& clock,
                                                   const fs::path& folder, const NodeKey& key) {
  auto store = store::Store::open(options_for(folder, clock));
  if (!store) return std::unexpected(std::move(store).error().within("the store"));
  return std::unique_ptr<TurnStore>(new TurnStore(shard, nullptr, std::move(*store), key));
}

TurnStore::TurnStore(async::Shard& shard, std::unique_ptr<ScratchFolder> scratch,
                     std::unique_ptr<store::Store> store, const NodeKey& key)
    : shard_(shard),
      scratch_(std::move(scratch)),
      store_(std::move(store)),
      mine_(store_->attach(shard)),
      sealer_(key),
      gate_(mine_) {}

TurnStore::~TurnStore() { store_->stop(); }

turn::Services TurnStore::services() {
  return {.store = &mine_, .gate = &gate_, .sealer = &sealer_};
}

Result<void> TurnStore::put(const TenantName& tenant, const app::CaseState& state) {
  if (state.empty()) return {};
  store::Transaction transaction(mine_, tenant, kUnlimited);
  CaseBlobs blobs(mine_, transaction, tenant);
  Result<void> result;
  shard_.run_until_done(keep(put_all(&transaction, &blobs, &tenant, &sealer_, &state), &result));
  return result;
}

Result<FoundState> TurnStore::look_for(const TenantName& tenant, const app::CaseEffects& effects) {
  store::Transaction transaction(mine_, tenant, kUnlimited);
  CaseBlobs blobs(mine_, transaction, tenant);
  FoundState found;
  Result<void> result;
  shard_.run_until_done(keep(look_for_all(&transaction, &blobs, &effects, &found), &result));
  if (!result) return std::unexpected(std::move(result).error());
  return found;
}

Result<app::CaseEffects> TurnStore::contents(const TenantName& tenant, const turn::Grants& grants,
                                             std::size_t most) {
  store::Transaction transaction(mine_, tenant, kUnlimited);
  CaseBlobs blobs(mine_, transaction, tenant);
  FoundState found;
  Result<void> result;
  shard_.run_until_done(keep(collect(&transaction, &blobs, &grants, most, &found), &result));
  if (!result) return std::unexpected(std::move(result).error());
  return app::CaseEffects{.values = std::move(found.values),
                          .counters = std::move(found.counters),
                          .blobs = std::move(found.blobs)};
}

}  // namespace carrel::cli
