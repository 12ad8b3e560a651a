// What the query of a call, or of an event, says: for whom it is, and how.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "patterns/hook/point.h"

namespace carrel::api {

struct CallQuery {
  std::optional<TenantName> tenant;  // the app's, or one below it
  std::string subject;               // who has the same is in the same bindings' shares
  bool dry_run = false;
  Nanos longest = Nanos::max();  // that its caller waits
};

// "tenant=shop/merchant-17&subject=cart-7&dry_run=true&timeout_ms=20". Errors: invalid_argument.
Result<CallQuery> read_call_query(std::string_view text, const hook::App& app);

}  // namespace carrel::api
