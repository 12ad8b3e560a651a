#include "tenant/erasure.h"

#include <fmt/format.h>

#include <memory>

#include "async/pause.h"
#include "tenant/audit.h"
#include "tenant/path.h"
#include "tenant/tenant.h"
#include "tenant/token.h"

namespace carrel::tenant {
namespace {

using async::Task;
using store::Kind;

constexpr std::uint64_t kMostBytes = 4ULL << 20;  // of the records of a step

// What the store keeps for itself about a tenant's records follows them.
bool is_the_stores(Kind kind) {
  return kind == Kind::usage || kind == Kind::expiry || kind == Kind::part || kind == Kind::garbage;
}

struct Found {
  store::Place place;
  std::string name;
};

struct Search {
  store::Store& store;
  TenantName tenant;
  std::vector<Found> found;
  Result<void> done = {};

  void run() {
    const auto snapshot = store.snapshot();
    if (!snapshot) {
      done = std::unexpected(snapshot.error());
      return;
    }
    const std::string prefix = store::prefix_of(tenant.str());
    store::Cursor cursor((*snapshot)->view, store::end_of(prefix), store::Reach::disk);
    std::uint64_t bytes = 0;
    auto state = cursor.seek(prefix);
    while (state == store::Cursor::State::valid && found.size() < kErasedAtOnce) {
      const auto key = store::decode(cursor.key());
      if (key && is_the_stores(key->kind)) {
        state = cursor.seek(store::end_of(store::prefix_of(tenant.str(), key->kind)));
        continue;
      }
      bytes += cursor.value().size();
      if (!found.empty() && bytes > kMostBytes) break;
      if (key) {
        found.push_back({.place = {.kind = key->kind, .store = std::string(key->store)},
                         .name = std::string(key->name)});
      }
      state = cursor.next();
    }
    if (state == store::Cursor::State::failed) done = std::unexpected(cursor.error());
  }
};

Task<Result<std::vector<Found>>> find_kept(store::ShardStore* store, TenantName tenant) {
  const auto search =
      std::make_shared<Search>(store->store(), std::move(tenant), std::vector<Found>());
  co_await store->store().io().run(store->shard(), [search] { search->run(); });
  if (!search->done) co_return std::unexpected(std::move(search->done).error());
  co_return std::move(search->found);
}

Task<Result<Erased>> erase_last(store::Transaction* transaction, TenantName name, WallTime now) {
  CARREL_CO_TRY(const std::size_t tokens, co_await erase_tokens(transaction, name, kErasedAtOnce));
  CARREL_CO_TRY(const std::size_t entries, co_await erase_audit(transaction, name, kErasedAtOnce));
  if (tokens + entries > 0) co_return Erased::some;
  CARREL_CO_TRY_VOID(transaction->erase(kTenants, name.str()));
  CARREL_CO_TRY_VOID(record(*transaction, {.time = now,
                                           .tenant = kNode,
                                           .who = "node",
                                           .from = "",
                                           .action = "eraseTenant",
                                           .target = fmt::format("tenants/{}", name.str())}));
  co_return Erased::all;
}

}  // namespace

Task<Result<Overdue>> overdue(store::ShardStore* store, WallTime now) {
  constexpr std::size_t kPage = 100;
  Overdue all;
  std::string after;
  for (;;) {
    store::Transaction transaction(*store, kNode, {});
    CARREL_CO_TRY(const store::NamePage page,
                  co_await transaction.read_names(kTenants, "", after, kPage));
    for (const auto& entry : page.entries) {
      const TenantName name(entry.name);
      const auto goes = co_await is_overdue(&transaction, name, now);
      if (!goes && goes.error().code() != Code::data_corrupt)
        co_return std::unexpected(goes.error());
      if (!goes) all.damaged.push_back(name);
      if (goes && *goes) all.names.push_back(name);
    }
    if (page.end || page.entries.empty()) co_return all;
    after = page.entries.back().name;
    co_await async::pause(store->shard());
  }
}

Task<Result<bool>> is_overdue(store::Transaction* transaction, TenantName name, WallTime now) {
  CARREL_CO_TRY(const auto tenant, co_await find(transaction, name));
  co_return tenant && tenant->removed && *tenant->removed <= now;
}

// That it is to go is read in each step's own transaction: who restores it meanwhile wins.
Task<Result<Erased>> erase_step(store::Transaction* transaction, store::ShardStore* store,
                                TenantName name, WallTime now) {
  CARREL_CO_TRY(const bool goes, co_await is_overdue(transaction, name, now));
  if (!goes) co_return Erased::all;
  CARREL_CO_TRY(const std::vector<Found> kept, co_await find_kept(store, name));
  for (const Found& each : kept) {
    CARREL_CO_TRY_VOID(co_await transaction->look(each.place, each.name));  // damaged: goes as well
    CARREL_CO_TRY_VOID(transaction->erase(each.place, each.name));
  }
  if (!kept.empty()) co_return Erased::some;
  co_return co_await erase_last(transaction, std::move(name), now);
}

}  // namespace carrel::tenant
