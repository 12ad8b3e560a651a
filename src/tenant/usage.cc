#include "tenant/usage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "async/pause.h"
#include "store/record.h"

namespace carrel::tenant {
namespace {

using async::Task;
using Json = nlohmann::json;

constexpr auto kKeptFor = std::chrono::hours(24 * 400);
constexpr Hour kLastHour = 99'999'999;
constexpr std::size_t kHourDigits = 8;
constexpr std::size_t kLooked = 500;         // names a look
constexpr std::size_t kMostLooks = 1'000;    // a page, but for those of its last row
constexpr std::size_t kMostLooked = 20'000;  // records a page, likewise
constexpr std::size_t kAtOnce = 64;          // records, before others have their turn
const store::Place kUsage{.kind = store::Kind::tenant, .store = "usage"};
const store::Place kSetAside{.kind = store::Kind::tenant, .store = "usage-damaged"};

struct Field {
  const char* name;
  std::uint64_t Spent::* field;
};
constexpr auto kFields = std::to_array<Field>({{"turns", &Spent::turns},
                                               {"failures", &Spent::failures},
                                               {"refused", &Spent::refused},
                                               {"cpu", &Spent::cpu},
                                               {"memory", &Spent::memory},
                                               {"in", &Spent::bytes_in},
                                               {"out", &Spent::bytes_out},
                                               {"calls", &Spent::calls},
                                               {"log", &Spent::log_bytes}});

std::string encode(const Spent& spent) {
  Json json = Json::object();
  for (const Field& each : kFields) {
    if (const std::uint64_t value = spent.*each.field; value != 0) json[each.name] = value;
  }
  return json.dump();
}

Result<Spent> decode(std::string_view bytes) {
  const Json json = Json::parse(bytes, nullptr, false);
  Spent spent;
  bool good = json.is_object();
  for (const Field& each : kFields) {
    if (!good || !json.contains(each.name)) continue;
    good = json[each.name].is_number_unsigned();
    if (good) spent.*each.field = json[each.name].get<std::uint64_t>();
  }
  if (good) return spent;
  return fail(Code::data_corrupt, "a record of usage is damaged");
}

std::string name_of(const Spender& who, Hour hour) {
  return fmt::format("{}:{}:{}:{:08}", who.tenant.str(), who.app.str(), who.module.str(), hour);
}

// Names have no colon in them, but for a module's: what is left belongs to it.
std::optional<HourlySpent> parse_name(std::string_view name) {
  const auto tenant_end = name.find(':');
  const auto app_end = tenant_end == name.npos ? name.npos : name.find(':', tenant_end + 1);
  const auto module_end = name.rfind(':');
  if (app_end == name.npos || module_end <= app_end || name.size() - module_end - 1 != kHourDigits)
    return {};
  HourlySpent parsed;
  const auto digits = name.substr(module_end + 1);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), parsed.hour);
  if (error != std::errc() || end != digits.data() + digits.size()) return {};
  parsed.who = {
      .tenant = TenantName(std::string(name.substr(0, tenant_end))),
      .app = AppName(std::string(name.substr(tenant_end + 1, app_end - tenant_end - 1))),
      .module = ModuleName(std::string(name.substr(app_end + 1, module_end - app_end - 1)))};
  return parsed;
}

Hour first_of(Hour hour, const UsageQuery& query) {
  switch (query.every) {
    case Every::hour:
      return hour;
    case Every::day:
      return std::max(hour - hour % 24, query.from);
    case Every::total:
      return query.from;
  }
  return hour;
}

// Walks the names of one prefix into the page.
struct Walk {
  store::Transaction& transaction;
  async::Shard& shard;
  const UsageQuery& query;
  UsagePage page;
  std::size_t looks = 0, looked = 0;
  std::string last;  // the name that was added last

  // What a module has in the range, and one name more.
  std::size_t wanted() const { return std::min<std::size_t>(kLooked, query.to - query.from + 1); }

  // False: the page is full, and `page.next` says where the next begins.
  bool has_place_for(const HourlySpent& found) {
    if (!page.rows.empty() && page.rows.back().who == found.who &&
        page.rows.back().hour == first_of(found.hour, query))
      return true;
    if (page.rows.size() < query.max && looked < kMostLooked) {
      page.rows.push_back({.who = found.who, .hour = first_of(found.hour, query)});
      return true;
    }
    page.next = last;
    return false;
  }

  Task<Result<void>> through(std::string prefix, std::string after) {
    while (page.next.empty()) {
      CARREL_CO_TRY(const store::NamePage names,
                    co_await transaction.read_names(kUsage, prefix, after, wanted()));
      co_await async::pause(shard);
      bool skipped = false;
      ++looks;
      for (const auto& entry : names.entries) {
        after = entry.name;
        const auto found = parse_name(entry.name);
        if (!found) {  // nobody knows whose and when
          ++looked;
          continue;
        }
        skipped = found->hour < query.from || found->hour >= query.to;
        if (skipped) {  // to where this module's range begins, or past its end
          after = name_of(found->who, found->hour < query.from ? query.from - 1 : kLastHour);
          // Modules without anything in the range are work as well.
          if (looks >= kMostLooks) page.next = after;
          break;
        }
        if (!has_place_for(*found)) co_return Result<void>();
        CARREL_CO_TRY_VOID(co_await add(entry.name));
      }
      if (!skipped && (names.end || names.entries.empty())) co_return Result<void>();
    }
    co_return Result<void>();
  }

  Task<Result<void>> add(std::string name) {
    CARREL_CO_TRY(const auto found, co_await transaction.look(kUsage, name));
    last = std::move(name);
    const auto spent = found.record != nullptr ? decode(found.record->bytes) : Result<Spent>();
    if (spent) page.rows.back().spent += *spent;
    if (found.damaged || !spent) ++page.rows.back().damaged;
    if (++looked % kAtOnce == 0) co_await async::pause(shard);
    co_return Result<void>();
  }
};

}  // namespace

Hour hour_of(WallTime time) {
  return store::milliseconds(time) /
         static_cast<std::uint64_t>(std::chrono::milliseconds(std::chrono::hours(1)).count());
}

WallTime begin_of(Hour hour) { return WallTime(std::chrono::hours(hour)); }

Task<Result<std::vector<std::string>>> add_usage(store::Transaction* transaction,
                                                 std::span<const HourlySpent> entries) {
  std::vector<std::string> damaged;
  for (const HourlySpent& entry : entries) {
    const std::string name = name_of(entry.who, entry.hour);
    const std::uint64_t expires = store::milliseconds(begin_of(entry.hour) + kKeptFor);
    CARREL_CO_TRY(const auto found, co_await transaction->look(kUsage, name));
    auto sum = found.record != nullptr ? decode(found.record->bytes) : Result<Spent>();
    if (found.damaged || !sum) damaged.push_back(name);
    if (!sum) {
      CARREL_CO_TRY_VOID(
          transaction->put(kSetAside, name, {.bytes = found.record->bytes, .expires = expires}));
      sum = Spent();
    }
    *sum += entry.spent;
    CARREL_CO_TRY_VOID(transaction->put(kUsage, name, {.bytes = encode(*sum), .expires = expires}));
  }
  co_return damaged;
}

Task<Result<UsagePage>> read_usage(store::Transaction* transaction, async::Shard* shard,
                                   UsageQuery query) {
  const std::string own = query.tenant.str() + ":", below = query.tenant.str() + "/";
  const bool in_own = query.after.starts_with(own);
  if (!query.after.empty() && !in_own && !query.after.starts_with(below))
    co_return fail(Code::invalid_argument, "after is the `next` of a page of the same tenant");
  Walk walk{.transaction = *transaction,
            .shard = *shard,
            .query = query,
            .page = {},
            .last = query.after};
  if (!in_own) CARREL_CO_TRY_VOID(co_await walk.through(below, query.after));
  if (walk.page.next.empty())
    CARREL_CO_TRY_VOID(co_await walk.through(own, in_own ? query.after : ""));
  co_return std::move(walk.page);
}

}  // namespace carrel::tenant
