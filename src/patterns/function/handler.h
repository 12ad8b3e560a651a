// HTTP functions: a request is routed to a function, which is a turn, or to a static file.
//
// What the outside sees of a failure is problem details with the exchange's id; what happened is in
// the log under that id. A function that fails after its reply has started breaks the connection
// off.
#pragma once

#include <memory>

#include "net/http.h"
#include "patterns/function/site.h"
#include "runtime/runtime.h"
#include "turn/trace.h"

namespace carrel::tenant {
class Identities;
}

namespace carrel::function {

// Hears of turns that failed. Called on the shard; must not wait.
class FailureLog {
 public:
  virtual ~FailureLog() = default;
  virtual void failed(const turn::ModuleSetup& module, std::uint64_t id, const Error& error,
                      const wasm::Outcome& guest) = 0;
};

// Owner: the composition root. Thread: its shard. Stops with the HTTP server that calls it.
class FunctionHandler final : public net::Handler {
 public:
  FunctionHandler(runtime::Runtime& runtime, turn::GuestLog& guest_log, FailureLog& failures)
      : runtime_(runtime), guest_log_(guest_log), failures_(failures) {}

  // From the next request on; those in progress keep what they have.
  void serve(std::shared_ptr<const Sites> sites) { sites_ = std::move(sites); }

  // Before the first request: from now on who calls is named. Outlives the handler.
  void name_callers(tenant::Identities& identities) { identities_ = &identities; }

  // Before the first request: from now on spans are recorded. Outlives the handler.
  void trace(observe::Tracer& tracer) { tracer_ = &tracer; }

  async::Task<void> handle(net::Exchange& exchange) override;

  // Callers whose tokens were refused. Any thread.
  std::uint64_t strangers() const { return strangers_.value(); }

 private:
  async::Task<void> run(net::Exchange& exchange, const Function& function,
                        const turn::HttpTarget& target);
  async::Task<std::optional<Error>> run_turn(net::Exchange* exchange, const Function* function,
                                             const turn::HttpTarget* target, turn::Trace trace);
  async::Task<void> send_file(net::Exchange& exchange, std::shared_ptr<const StaticFiles> files,
                              const turn::HttpTarget& target);
  async::Task<void> refuse(net::Exchange& exchange, Error error);
  async::Task<void> refuse_method(net::Exchange& exchange, std::string allow);

  runtime::Runtime& runtime_;
  turn::GuestLog& guest_log_;
  FailureLog& failures_;
  observe::Counter strangers_;
  observe::Tracer* tracer_ = nullptr;         // null: nobody wants them
  tenant::Identities* identities_ = nullptr;  // null: there are no issuers
  std::shared_ptr<const Sites> sites_ = std::make_shared<Sites>();
};

}  // namespace carrel::function
