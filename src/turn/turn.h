// A turn: one run of a module on one event, with the reply it gives and what it left behind.
//
// Everything a guest does happens inside a turn and is over when the turn is: its instance, its
// open files, its private memory. What it may use is fixed by its module's setup, never by the
// guest.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/shared_task.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "net/http.h"
#include "observe/trace_context.h"
#include "store/changes.h"
#include "turn/event.h"
#include "turn/grants.h"
#include "turn/held_reply.h"
#include "wasi/node.h"
#include "wasm/instance.h"
#include "wasm/kept_instance.h"

namespace carrel::observe {
class Span;
}
namespace carrel::tenant {
class Line;
}

namespace carrel::turn {

// Bounds of one turn. Sizes in bytes.
struct Limits {
  std::uint64_t memory = 64ULL << 20;  // linear memory
  Nanos cpu = std::chrono::milliseconds(50);
  Nanos time = std::chrono::seconds(5);  // wall time
  std::size_t open_files = 1024;
  std::uint64_t private_memory = 16ULL << 20;  // what /tmp holds
  std::uint64_t log_bytes =
      64ULL << 10;  // of standard error; the rest is dropped, and that is said
};

class Functions;

// That a module's instances may serve more than one turn, one at a time. Made for one module as it
// is deployed, which it stands for.
struct Reuse {
  unsigned turns = 128;  // that one instance serves
  Nanos idle = std::chrono::seconds(10);
};

struct Mount {
  std::string path;                  // absolute
  std::shared_ptr<wasi::Node> node;  // shared by turns on all shards: immutable or thread-safe
};

// What a deployment settled for every turn of one module. Immutable, shared by all shards.
struct ModuleSetup {
  TenantName tenant;
  AppName app;
  ModuleName name;
  Limits limits;
  std::string entrypoint = "_start";
  std::string argv;  // wagi's template; empty: the ABI's default
  std::vector<std::pair<std::string, std::string>> environment;  // configuration and variables
  std::vector<Mount> mounts;
  Grants grants;
  std::shared_ptr<const Functions> functions = nullptr;  // of the application; null: none
  store::Sync sync = store::Sync::always;
  std::uint64_t storage = 1ULL << 30;            // bytes its tenant may store
  std::shared_ptr<const Reuse> reuse = nullptr;  // null: a fresh instance for every turn
};

// Where the lines of a guest's standard error go. Owner: the server; outlives the turn. Thread: the
// shard's.
class GuestLog {
 public:
  virtual ~GuestLog() = default;
  virtual void line(const ModuleSetup& module, std::uint64_t turn, std::string_view text) = 0;
};

struct State;
class Interceptor;

// A body has one reader; all that a guest has open of it wait together.
struct BodyWait {
  async::SharedTask task;
  int waiting = 0;
};

// Owner: the pattern that runs it. Thread: one shard.
struct Turn {
  std::uint64_t id = 0;  // unique in this process; names the turn in logs and error replies
  const ModuleSetup& module;
  Event& event;
  net::ReplySink& reply;
  GuestLog& log;
  const Clock& clock = system_clock();  // what the guest is shown; limits go by the machine's
  std::optional<Error> body_failure;    // why the event's body did not arrive whole
  std::string key = {};                 // names it to the outside; empty: the runtime makes one
  Instant deadline = Instant::max();    // of its pattern; its module's limits may end it sooner
  Interceptor* interceptor = nullptr;   // the pattern's, for gated turns; may be null
  State* state = nullptr;               // the runtime's, while it runs; null: nothing is granted
  tenant::Line* use = nullptr;          // the runtime's: where what it uses is counted; may be null
  // Where it stands in a trace: its cause, and while it runs itself. Nothing: in none.
  std::optional<observe::TraceContext> trace = std::nullopt;
  observe::Span* span = nullptr;  // the runtime's, while it runs; null: nobody wants to know
  std::unique_ptr<wasm::KeptInstance> instance = nullptr;  // the runtime's: to run in; null: fresh
  std::shared_ptr<BodyWait> body_wait = nullptr;  // of those that read it; null: nobody yet
};

// Tells the turn's trace. `what` is a literal.
void happened(Turn& turn, std::string_view what);

// How a turn ended: what the guest did, and what is wrong if anything is.
struct Outcome {
  wasm::Outcome guest;
  std::optional<Error> error;  // nothing: the reply was given, but for `held` and `rest`
  Nanos earlier_cpu{};         // of runs before the last one, which lost to others
  // Of a gated turn: the reply, for whoever commits the turn.
  std::optional<HeldReply> held;
  // Sends what is left of the reply, which needs the client and no longer the guest. May be empty.
  async::Task<Result<void>> rest;
  // Of a guest that ended well and may serve again: for whoever knows that the turn is kept.
  std::unique_ptr<wasm::KeptInstance> instance = nullptr;
};

// Whether its turns have a state: there is anything beyond their own event.
bool needs_state(const ModuleSetup& module);

// The error that a guest's end means, or nothing if it ended well.
std::optional<Error> error_of(const wasm::Outcome& outcome);

}  // namespace carrel::turn
