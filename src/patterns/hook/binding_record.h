// A customer's binding as the store keeps it: what of theirs is at which point of whose app.
//
//   Kind::binding, store "", name: the binding's -> JSON
//
// It lies in the customer's tenant, below that of the app. What it names need not be there: a
// binding waits for it (server/binder.h says what state it is in).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "app/hooks.h"
#include "base/id.h"
#include "base/result.h"
#include "store/transaction.h"

namespace carrel::hook {

inline constexpr std::size_t kMostBindings = 100;  // of one tenant
inline const store::Place kBindings{.kind = store::Kind::binding, .store = ""};

// Value type.
struct BindingRecord {
  std::uint64_t revision = 0;  // grows with every change, over removals too
  TenantName tenant;           // whose app it is, above the binding's tenant
  AppName app;
  std::string point;
  AppName from;        // the customer's app whose module it is; empty: an endpoint
  std::string module;  // its name there
  std::optional<app::HookEndpoint> endpoint = {};
  app::Pairs config;       // before the module's own
  int order = 0;           // lower first
  unsigned percent = 100;  // of the calls
  bool enabled = true;
};

// {"at": {"tenant", "app", "point"}, "module": {"app", "name"} or "endpoint": {"url", "secret",
// "format", "disable_after", "oauth"}, "config", "order", "percent", "enabled"}
nlohmann::json to_json(const BindingRecord& record);
// Strict; what is left out is the usual. `below`: the binding's tenant. Errors: invalid_argument
// that names the field.
Result<BindingRecord> read_binding(const nlohmann::json& json, const TenantName& below);

std::string encode(const BindingRecord& record);
Result<BindingRecord> decode_binding(std::string_view record, const TenantName& below);

// The transaction outlives the task. Errors: those of Transaction::read; data_corrupt.
async::Task<Result<std::optional<BindingRecord>>> find_binding(store::Transaction* transaction,
                                                               TenantName tenant, std::string name);

// What a binding is called where bindings of several tenants meet: "merchant-17/loyalty", the
// tenant's path below the app's, and its name.
std::string full_name(const TenantName& above, const TenantName& tenant, std::string_view name);

// The lane of its deliveries. `tenant`, `name`: its own.
std::string lane_of(const BindingRecord& record, const TenantName& tenant, std::string_view name);

}  // namespace carrel::hook
