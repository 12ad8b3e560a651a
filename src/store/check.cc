#include "store/check.h"

#include <fmt/format.h>

#include "store/check_accounts.h"
#include "store/database.h"
#include "store/database_folder.h"

namespace carrel::store {
namespace {

constexpr std::uint64_t kTellEvery = 10'000;  // records

Result<void> check_records(const std::shared_ptr<Database>& database, CheckAccounts& accounts,
                           CheckReport& report, const CheckProgress& progress) {
  Cursor cursor(database->view(), "", Reach::disk);
  auto state = cursor.seek("");
  for (; state == Cursor::State::valid; state = cursor.next()) {
    ++report.keys;
    report.bytes += cursor.key().size() + cursor.value().size();
    accounts.add(cursor.key(), cursor.value());
    if (progress && report.keys % kTellEvery == 0) progress(report.keys);
  }
  if (state != Cursor::State::failed) return {};
  if (cursor.error().code() != Code::data_corrupt) return std::unexpected(cursor.error());
  accounts.problem(fmt::format("after {} records: {}", report.keys, cursor.error().message()));
  return {};
}

}  // namespace

Result<CheckReport> check(const std::filesystem::path& folder, const CheckProgress& progress) {
  CARREL_TRY_VOID(check_folder(folder));
  CheckReport report;
  // Opened for writing for its lock; nothing is written but what opening any store writes.
  auto database = Database::open({.folder = folder, .cache_bytes = 32 << 20});
  if (!database) return std::unexpected(std::move(database).error());
  CheckAccounts accounts((*database)->view(), report);
  if (const auto verified = (*database)->verify(); !verified) {
    if (verified.error().code() != Code::data_corrupt) return std::unexpected(verified.error());
    accounts.problem(verified.error().message());
  }
  CARREL_TRY_VOID(check_records(*database, accounts, report, progress));
  CARREL_TRY_VOID(accounts.finish(parts_folder(folder)));
  return report;
}

}  // namespace carrel::store
