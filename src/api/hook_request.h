// A request on the data listener for something of an app's points, from somebody who is known.
#pragma once

#include <memory>
#include <string_view>

#include "api/answer.h"
#include "net/http.h"
#include "patterns/hook/point.h"
#include "tenant/principal.h"

namespace carrel::api {

// Value type; the exchange outlives it. Thread: its shard.
struct HookRequest {
  net::Exchange* exchange;
  tenant::Principal principal;
  std::shared_ptr<const hook::Apps> apps;
  std::shared_ptr<const hook::App> app;
  std::string_view path;  // after "/v1/hooks"
};

// Errors: permission_denied, which names what is needed.
Result<void> may(const HookRequest& request, tenant::Verb verb, const TenantName& tenant);

// One of the app's that is told of events. Errors: not_found; invalid_argument: it is called.
Result<const hook::Point*> event_point(const HookRequest& request, std::string_view name);

Answer not_allowed(std::string_view method, std::uint64_t id);

}  // namespace carrel::api
