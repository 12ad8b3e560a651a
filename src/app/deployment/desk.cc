#include "app/deployment/desk.h"

#include <fmt/format.h>

namespace carrel::deployment {

using async::Task;

Task<Result<std::optional<AppRecord>>> find_app(store::Transaction* transaction, AppName app) {
  CARREL_CO_TRY(const store::Record* record, co_await transaction->read(kApps, app.str()));
  if (record == nullptr) co_return std::optional<AppRecord>();
  CARREL_CO_TRY(auto decoded, decode_app(record->bytes));
  co_return std::optional(std::move(decoded));
}

Task<Result<AppRecord>> require_app(store::Transaction* transaction, AppName app) {
  CARREL_CO_TRY(auto found, co_await find_app(transaction, app));
  if (!found || found->removed)
    co_return fail(Code::not_found, fmt::format("there is no app {} here", app.str()));
  co_return std::move(*found);
}

Task<Result<Version>> require_version(store::Transaction* transaction, AppName app,
                                      std::uint64_t number) {
  const std::string name = name_of_version(number);
  CARREL_CO_TRY(const store::Record* record, co_await transaction->read(versions_of(app), name));
  if (record == nullptr)
    co_return fail(Code::not_found, fmt::format("{} has no version {}", app.str(), number));
  co_return decode_version(name, record->bytes);
}

Task<Result<std::vector<std::uint64_t>>> version_numbers(store::Transaction* transaction,
                                                         AppName app) {
  std::vector<std::uint64_t> numbers;
  std::string after;
  for (;;) {
    CARREL_CO_TRY(const store::NamePage page,
                  co_await transaction->read_names(versions_of(app), "", after, 1000));
    for (const auto& entry : page.entries) {
      if (const auto number = version_named(entry.name)) numbers.push_back(*number);
    }
    if (page.end || page.entries.empty()) co_return numbers;
    after = page.entries.back().name;
  }
}

Result<void> keep_app(store::Transaction& transaction, const AppName& app, AppRecord& record) {
  ++record.revision;
  return transaction.put(kApps, app.str(), {.bytes = encode(record)});
}

namespace {

// Kept are those that the app needs, and the newest of the others.
Task<Result<void>> prune(store::Transaction* transaction, AppName app, AppRecord record) {
  CARREL_CO_TRY(std::vector<std::uint64_t> numbers, co_await version_numbers(transaction, app));
  std::erase_if(numbers, [&](std::uint64_t number) { return record.needs(number); });
  if (numbers.size() <= kMostVersions) co_return Result<void>();
  numbers.resize(numbers.size() - kMostVersions);
  for (const std::uint64_t number : numbers) {
    const std::string name = name_of_version(number);
    CARREL_CO_TRY_VOID(co_await transaction->read(versions_of(app), name));
    CARREL_CO_TRY_VOID(transaction->erase(versions_of(app), name));
  }
  co_return Result<void>();
}

}  // namespace

Task<Result<Addition>> add_version(store::Transaction* transaction, AppName app, Version version) {
  CARREL_CO_TRY(auto found, co_await find_app(transaction, app));
  if (found && found->removed)
    co_return fail(Code::in_use,
                   "a removed app has this name until its data is gone; restore it, or wait");
  Addition addition{.app = std::move(found).value_or(AppRecord())};
  if (addition.app.next > 1) {
    auto newest = co_await require_version(transaction, app, addition.app.next - 1);
    if (!newest && newest.error().code() != Code::not_found)
      co_return std::unexpected(std::move(newest).error());
    if (newest && newest->bundle.files == version.bundle.files) {
      addition.added = std::move(*newest);
      co_return addition;
    }
  }
  version.number = addition.app.next++;
  const std::string name = name_of_version(version.number);
  CARREL_CO_TRY_VOID(co_await transaction->read(versions_of(app), name));
  store::Record record{.bytes = encode(version)};
  if (record.bytes.size() > store::kMaxValue)
    co_return fail(Code::invalid_argument, "the list of the version's files is too long");
  CARREL_CO_TRY_VOID(transaction->put(versions_of(app), name, std::move(record)));
  CARREL_CO_TRY_VOID(keep_app(*transaction, app, addition.app));
  CARREL_CO_TRY_VOID(co_await prune(transaction, app, addition.app));
  addition.added = std::move(version);
  addition.made = true;
  co_return addition;
}

Task<Result<void>> erase_app(store::Transaction* transaction, AppName app) {
  CARREL_CO_TRY(const auto numbers, co_await version_numbers(transaction, app));
  for (const std::uint64_t number : numbers) {
    const std::string name = name_of_version(number);
    CARREL_CO_TRY_VOID(co_await transaction->read(versions_of(app), name));
    CARREL_CO_TRY_VOID(transaction->erase(versions_of(app), name));
  }
  CARREL_CO_TRY_VOID(co_await transaction->read(kApps, app.str()));
  co_return transaction->erase(kApps, app.str());
}

}  // namespace carrel::deployment
