// What was used, as the store keeps it: one record for each module and hour.
//
//   Kind::tenant, store "usage", name: TENANT:APP:MODULE:HOUR -> JSON
//
// HOUR counts from 1970, eight digits. Records are kept for 400 days. They outlive the app and the
// tenant: what was used has to be paid.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "async/shard.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "store/transaction.h"
#include "tenant/spent.h"

namespace carrel::tenant {

using Hour = std::uint64_t;  // since 1970

Hour hour_of(WallTime time);
WallTime begin_of(Hour hour);

struct HourlySpent {
  Spender who;
  Hour hour = 0;
  Spent spent;
  std::uint64_t damaged = 0;  // hours that could not be read, and are not in `spent`
};

// Adds to what the records hold: a few hundred at a time, as they are one commit. Gives the names
// of those that are damaged: they begin anew, and what can be read of them is set aside, in the
// store "usage-damaged". The transaction, the node's, and the entries outlive the task. Errors:
// those of Transaction::read and put.
async::Task<Result<std::vector<std::string>>> add_usage(store::Transaction* transaction,
                                                        std::span<const HourlySpent> entries);

enum class Every : std::uint8_t { hour, day, total };

struct UsageQuery {
  TenantName tenant;      // with all below it
  Hour from = 0, to = 0;  // from the first to before the last
  Every every = Every::hour;
  std::string after;  // a page's `next`
  std::size_t max = 100;
};
struct UsagePage {
  std::vector<HourlySpent> rows;  // each `hour` is the first of what the row adds up
  std::string next;               // empty: that is all
};
// In order of names; what lies below the tenant comes before its own. A page is a bounded look, in
// which others of the shard have their turns: one may have few rows, or none, and a `next`. A
// record that is damaged is told of in its row. The transaction outlives the task. Errors:
// invalid_argument for an `after` of no page of the tenant; those of reading names.
async::Task<Result<UsagePage>> read_usage(store::Transaction* transaction, async::Shard* shard,
                                          UsageQuery query);

}  // namespace carrel::tenant
