#include "delivery/attempt_steps.h"

#include <fmt/format.h>

#include "delivery/ring.h"
#include "store/record.h"

namespace carrel::delivery {
namespace {

using async::Task;
using How = Verdict::How;

constexpr std::size_t kOldest = 64;  // dead letters among which one of ours is sought

}  // namespace

Task<Result<void>> Mark::run(store::Transaction& transaction) {
  item.reset();
  lost = false;
  const std::string name = record_name(name_);
  CARREL_CO_TRY(const store::Record* const found, co_await transaction.read(kOpen, name));
  if (found == nullptr) co_return Result<void>();
  CARREL_CO_TRY(item, decode(name_, found->bytes));
  if (item->marked != 0) {
    item->cause = fmt::format("the server ended during attempt {}", item->attempts);
    lost = item->attempts >= receiver_.retry(*item).most();
    if (lost) co_return Result<void>();
  }
  ++item->attempts;
  item->marked = store::milliseconds(clock_.wall());
  co_return transaction.put(kOpen, name, {.bytes = encode(*item)});
}

Task<Result<void>> Settlement::run(store::Transaction& transaction) {
  dropped.reset();
  const std::string name = record_name(item_.name);
  CARREL_CO_TRY(const store::Record* const found, co_await transaction.read(kOpen, name));
  gone = found == nullptr;
  if (gone) {
    // Or a commit of which that was not known has settled it.
    if (verdict_.how != How::hopeless) co_return Result<void>();
    CARREL_CO_TRY(const store::Record* const dead, co_await transaction.read(kDead, name));
    gone = dead == nullptr;
    co_return Result<void>();
  }
  CARREL_CO_TRY_VOID(write(transaction, name));
  if (burial_.crowded && verdict_.how == How::hopeless)
    CARREL_CO_TRY_VOID(co_await drop_oldest(&transaction));
  co_return co_await receiver_.settle(&transaction, &item_, &verdict_);
}

Result<void> Settlement::write(store::Transaction& transaction, const std::string& name) const {
  if (verdict_.how == How::failed || verdict_.how == How::not_now)
    return transaction.put(kOpen, name, {.bytes = encode(item_)});
  CARREL_TRY_VOID(transaction.erase(kOpen, name));
  if (verdict_.how != How::hopeless) return {};
  return transaction.put(kDead, name, {.bytes = encode(item_), .expires = burial_.dead_until});
}

// The first of this dispatcher's, as later ids come after earlier ones.
Task<Result<void>> Settlement::drop_oldest(store::Transaction* transaction) {
  const std::string lane = record_name({item_.name.lane, ""});
  CARREL_CO_TRY(const store::NamePage page,
                co_await transaction->read_names(kDead, lane, "", kOldest));
  for (const auto& entry : page.entries) {
    auto name = parse_record_name(entry.name);
    if (!name || *name == item_.name) continue;
    if (owner_of(name->id, burial_.count) != burial_.index) continue;
    CARREL_CO_TRY_VOID(transaction->erase(kDead, entry.name));
    dropped = std::move(*name);
    break;
  }
  co_return Result<void>();
}

}  // namespace carrel::delivery
