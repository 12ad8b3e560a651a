#include "delivery/dead_letters.h"

namespace carrel::delivery {

using async::Task;

Task<Result<ItemPage>> read_items(store::Transaction* transaction, store::Place place,
                                  std::string prefix, std::string after, std::size_t max) {
  CARREL_CO_TRY(const store::NamePage names,
                co_await transaction->read_names(place, prefix, after, max));
  ItemPage page;
  for (const auto& entry : names.entries) {
    const auto name = parse_record_name(entry.name);
    if (!name) {
      page.damaged.push_back({.lane = entry.name});
      continue;
    }
    CARREL_CO_TRY(const auto found, co_await transaction->look(place, entry.name));
    if (!found.any()) continue;
    auto item =
        found.damaged ? Result<Item>(fail(Code::data_corrupt)) : decode(*name, found.record->bytes);
    if (item) {
      page.items.push_back(std::move(*item));
    } else {
      page.damaged.push_back(*name);
    }
  }
  if (!names.end && !names.entries.empty()) page.next = names.entries.back().name;
  co_return page;
}

Task<Result<Item>> redrive(store::Transaction* transaction, Name name, std::uint64_t now) {
  const std::string record = record_name(name);
  CARREL_CO_TRY(const store::Record* const found, co_await transaction->read(kDead, record));
  if (found == nullptr) co_return fail(Code::not_found, "there is no such dead letter");
  CARREL_CO_TRY(Item item, decode(std::move(name), found->bytes));
  item.attempts = 0;
  item.marked = 0;
  item.due = now;
  CARREL_CO_TRY_VOID(transaction->erase(kDead, record));
  CARREL_CO_TRY_VOID(transaction->put(kOpen, record, {.bytes = encode(item)}));
  co_return item;
}

}  // namespace carrel::delivery
