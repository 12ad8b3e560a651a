#include "patterns/hook/leftovers.h"

#include "patterns/hook/endpoint_state.h"

namespace carrel::hook {
namespace {

using async::Task;
using delivery::ErasedItems;

// Each is read, so that the step meets whoever writes it meanwhile.
Task<Result<void>> erase_endpoint(store::Transaction* transaction, std::string lane,
                                  ErasedItems* erased) {
  CARREL_CO_TRY(const auto found, co_await transaction->look(kEndpoints, lane));
  if (!found.any()) co_return Result<void>();
  ++erased->records;
  co_return transaction->erase(kEndpoints, lane);
}

}  // namespace

Task<Result<ErasedItems>> erase_leftovers(store::Transaction* transaction, store::ShardStore* store,
                                          std::string lanes) {
  CARREL_CO_TRY(ErasedItems erased, co_await delivery::erase_items(transaction, store, lanes));
  if (erased.records >= delivery::kErasedAtOnce) co_return erased;
  store::Transaction look(*store, TenantName(), {});
  CARREL_CO_TRY(
      const store::NamePage page,
      co_await look.read_names(kEndpoints, lanes, "", delivery::kErasedAtOnce - erased.records));
  for (const auto& entry : page.entries)
    CARREL_CO_TRY_VOID(co_await erase_endpoint(transaction, entry.name, &erased));
  co_return erased;
}

Task<Result<ErasedItems>> erase_leftovers_of(store::Transaction* transaction,
                                             store::ShardStore* store, std::string lane) {
  CARREL_CO_TRY(ErasedItems erased, co_await delivery::erase_items(
                                        transaction, store, delivery::record_name({lane, ""})));
  CARREL_CO_TRY_VOID(co_await erase_endpoint(transaction, lane, &erased));
  co_return erased;
}

}  // namespace carrel::hook
