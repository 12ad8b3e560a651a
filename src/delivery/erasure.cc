#include "delivery/erasure.h"

namespace carrel::delivery {
namespace {

using async::Task;

// Each is read, so that the step meets whoever settles it or redrives it meanwhile.
Task<Result<void>> erase_from(store::Transaction* transaction, store::ShardStore* store,
                              store::Place place, std::string prefix, ErasedItems* erased,
                              std::vector<Name>* names) {
  store::Transaction look(*store, TenantName(), {});
  CARREL_CO_TRY(const store::NamePage page,
                co_await look.read_names(place, prefix, "", kErasedAtOnce - erased->records));
  for (const auto& entry : page.entries) {
    CARREL_CO_TRY_VOID(co_await transaction->look(place, entry.name));
    CARREL_CO_TRY_VOID(transaction->erase(place, entry.name));
    ++erased->records;
    if (auto name = parse_record_name(entry.name)) names->push_back(std::move(*name));
  }
  co_return Result<void>();
}

}  // namespace

Task<Result<ErasedItems>> erase_items(store::Transaction* transaction, store::ShardStore* store,
                                      std::string prefix) {
  ErasedItems erased;
  CARREL_CO_TRY_VOID(co_await erase_from(transaction, store, kOpen, prefix, &erased, &erased.open));
  if (erased.records < kErasedAtOnce)
    CARREL_CO_TRY_VOID(
        co_await erase_from(transaction, store, kDead, prefix, &erased, &erased.dead));
  co_return erased;
}

}  // namespace carrel::delivery
