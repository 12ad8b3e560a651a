// A call: one request that has been admitted, with what its operation needs to answer it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/node.h"
#include "api/operation.h"
#include "api/work.h"
#include "base/clock.h"
#include "net/http.h"
#include "tenant/principal.h"
#include "turn/state.h"

namespace carrel::deployment {
class Stage;
}
namespace carrel::hosts {
class Desk;
}

namespace carrel::delivery {
class Ring;
}

namespace carrel::hook {
class Recordings;
class Shadows;
}  // namespace carrel::hook

namespace carrel::api {

class Authenticator;
class BindingStage;
class Fetches;

// Owner: the API, for one request. Thread: the shard whose services these are.
struct Call {
  const net::Request& request() const { return exchange.request; }
  // What the path has for a parameter, as it was sent. Precondition: the operation's path has it.
  std::string_view raw(std::string_view parameter) const;
  // The same, decoded. Errors: invalid_argument.
  Result<std::string> text(std::string_view parameter) const;

  // Asked of a request that takes long, as when it was admitted. Errors: those of admission.
  async::Task<Result<void>> still_allowed() const;

  // Bytes that the tenant's own apps may fill its stores to: what the one that may most may.
  std::uint64_t storage() const;

  net::Exchange& exchange;
  const Operation& operation;
  std::vector<Parameter> parameters;
  TenantName tenant;  // that the path names; the node: it names none
  tenant::Principal principal;
  Authenticator& authenticator;
  const turn::Services& services;  // all of a store's are there
  const Node& node;
  const Clock& clock;
  deployment::Stage* stage;  // null: nothing can be deployed
  hosts::Desk* hosts;        // null: no host names can be claimed
  Fetches& fetches;
  BindingStage* bindings = nullptr;        // null: nothing can be bound
  hook::Recordings* recordings = nullptr;  // likewise
  hook::Shadows* shadows = nullptr;        // likewise
  delivery::Ring* deliveries = nullptr;    // likewise
  Work& work;
};

struct Body {
  std::string text;
  nlohmann::json json;  // an object
};
// Errors: invalid_argument; body_too_large; what went wrong with the connection.
async::Task<Result<Body>> read_object(Call* call, std::size_t most = 64 << 10);

}  // namespace carrel::api
