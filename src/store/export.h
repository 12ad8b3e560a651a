// The export: a store's records as lines of JSON, for another store or another program.
//
// In the order of their keys, so two exports of the same state are the same bytes. Left out:
// secrets and replies to idempotency keys, which are only of use on their node, and what has
// expired.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/id.h"
#include "base/result.h"
#include "store/database.h"
#include "store/parts.h"

namespace carrel::store {

struct ExportOptions {
  std::optional<TenantName> app;  // nothing: all
  std::uint64_t now = 0;          // milliseconds since 1970
};

struct ExportReport {
  std::uint64_t values = 0, counters = 0, blobs = 0;
  std::uint64_t bytes = 0;                 // of the lines
  std::uint64_t secrets = 0, replies = 0;  // left out
};

// Takes a line with its end.
using LineSink = std::function<Result<void>(std::string_view line)>;

// Blocks; holds one value or one part of a blob at a time. Errors: data_corrupt for the first
// damaged record or part, io; not_found when nothing is kept for `app`; those of the sink.
Result<ExportReport> export_records(const std::shared_ptr<const DatabaseView>& view,
                                    const Parts& parts, const ExportOptions& options,
                                    const LineSink& sink);

}  // namespace carrel::store
