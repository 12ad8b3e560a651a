// What a turn keeps of the world beyond its event: its transaction, its calls to the outside, the
// secrets it has been told. And the shard's services through which capabilities reach it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "store/transaction.h"
#include "turn/call_record.h"
#include "turn/output_gate.h"

namespace carrel::net {
class Caller;
}
namespace carrel::observe {
class Tracer;
}
namespace carrel::store {
class Sealer;
}

namespace carrel::tenant {
class Allowances;
class Meter;
}  // namespace carrel::tenant

namespace carrel::turn {

struct Turn;

// What a shard offers to the turns it runs. Null: this process has none (a module run from the
// shell without state). Owner: the shard's unit; outlives its turns.
struct Services {
  store::ShardStore* store = nullptr;
  OutputGate* gate = nullptr;
  net::Caller* client = nullptr;
  const store::Sealer* sealer = nullptr;
  tenant::Meter* meter = nullptr;            // counts what they use
  tenant::Allowances* allowances = nullptr;  // what tenants may use; the node's
  observe::Tracer* tracer = nullptr;         // null: spans are not wanted
};

class KeptBody;

// Owner: the runtime, for one turn and all its runs. Thread: its shard.
struct State {
  State(const Services& s, TenantName tenant, const store::TransactionLimits& limits)
      : services(s), transaction(*s.store, std::move(tenant), limits) {}

  const Services& services;
  store::Transaction transaction;
  CallRecord calls;
  std::vector<SecretBytes> told_secrets;  // values that must not reach the log
  // Awaited in order once the guest has ended well, before the commit; an error fails the turn.
  std::vector<std::function<async::Task<Result<void>>()>> before_commit;
  KeptBody* body = nullptr;      // the event's; null: it has none
  std::optional<Error> failure;  // of a capability, which the guest has seen as an errno
  std::string key;               // names the turn to the outside; the same for all its runs
};

// What the turn has read is durable: until then the outside must not learn of it. At once for a
// turn whose module does not ask for that. `turn` has a state.
async::Task<Result<void>> wait_until_durable(const Turn& turn);

}  // namespace carrel::turn
