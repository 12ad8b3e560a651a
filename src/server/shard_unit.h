// A shard with all that lives on it: its thread, its runtime, its function handler, its listeners.
//
// Requests of a shard's connections never leave it. Other threads reach it through `submit` only.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "api/hooks.h"
#include "async/gate.h"
#include "async/shard.h"
#include "async/shelter.h"
#include "delivery/ring.h"
#include "net/client.h"
#include "net/dns.h"
#include "net/server.h"
#include "patterns/function/handler.h"
#include "patterns/hook/emitter.h"
#include "patterns/hook/events.h"
#include "patterns/hook/shadow.h"
#include "runtime/runtime.h"
#include "server/logs.h"
#include "server/request_figures.h"
#include "server/state.h"
#include "server/trace_sender.h"
#include "server/usage_writer.h"

namespace carrel::tenant {
class Identities;
struct Issuer;
}  // namespace carrel::tenant

namespace carrel::server {

// Owner and thread: the composition root's. Stops: `drain`, then `stop` and `join`; between them
// the listeners that do not serve apps still answer.
class ShardUnit {
 public:
  ShardUnit(unsigned index, runtime::Loader& loader, const runtime::RuntimeLimits& limits,
            NodeStore& store, Logs& logs, delivery::Ring& ring, tenant::Allowances& allowances);
  ~ShardUnit();
  ShardUnit(const ShardUnit&) = delete;
  ShardUnit& operator=(const ShardUnit&) = delete;

  // Before `start`. Gives the port.
  // Errors: unavailable when the address cannot be bound.
  Result<std::uint16_t> serve_apps(net::Server::Options options);
  Result<std::uint16_t> serve_other(Listener which, net::Handler& handler,
                                    net::Server::Options options);

  // Before `start`: hook points can be called, then where.
  void offer_hooks(const api::LocalToken& token, api::DeliverySwitch& pause, const Clock& clock);
  Result<std::uint16_t> serve_hooks(net::Server::Options options);

  // Before `start`: finds the deliveries that are this shard's, of `count`. Blocks.
  Result<void> load_deliveries(unsigned count);

  // Figures of these may be read by any thread.
  const async::Shard& shard() const { return shard_; }
  const runtime::Runtime& runtime() const { return runtime_; }
  const delivery::Dispatcher& deliveries() const { return deliveries_; }
  const net::Client* client() const { return client_ ? &*client_ : nullptr; }
  const RequestFigures& requests(Listener listener) const {
    return requests_[static_cast<std::size_t>(listener)];
  }
  std::size_t connections(Listener listener) const;
  std::uint64_t strangers(Listener listener) const;  // who showed a token that opens nothing

  // For handlers of `serve_other`.
  const turn::Services& services() const { return services_; }
  hook::Shadows& shadows() { return shadows_; }

  // Before `start`: runs a task to its end on the calling thread.
  void run_first(async::Task<void> task) { shard_.run_until_done(std::move(task)); }
  // After it: makes a task there and runs it. Any time; not after `stop`.
  void run_soon(std::move_only_function<async::Task<void>()> make);

  // Before `start`: from now on turns can call the outside. `dns`: who is asked for names; nothing:
  // the system.
  void allow_calls(net::ClientOptions options, const std::optional<net::DnsServer>& dns);

  // Before `start`: from now on spans are recorded, and sent.
  void trace(Collector collector, net::ClientOptions calls, std::string version);
  const observe::Tracer* tracer() const { return traces_ ? &traces_->tracer() : nullptr; }

  // Before `start`, after `allow_calls`: from now on callers are named by these issuers.
  tenant::Identities& name_callers(std::shared_ptr<const std::vector<tenant::Issuer>> issuers);
  // After `name_callers`: from now on by these. Any time.
  void use(std::shared_ptr<const std::vector<tenant::Issuer>> issuers);

  // `pin` names a processor for its thread.
  void start(std::optional<unsigned> pin);

  // From the next request on; `taken` is called then, on the shard. Any time.
  void use(std::shared_ptr<const function::Sites> sites, std::shared_ptr<const hook::Apps> points,
           std::function<void()> taken);

  // Refuses new connections for apps and gives their requests in progress `bound`.
  void drain(std::chrono::milliseconds bound);
  bool drained() const { return drained_.load(); }

  // Ends what is left, and the thread.
  void stop();
  bool running() const { return running_.load(); }
  void join();

 private:
  Result<std::uint16_t> listen(Listener which, net::Handler& handler, net::Server::Options options);
  static async::Task<void> drain_apps(ShardUnit* self, std::chrono::milliseconds bound);
  static async::Task<void> drain_others(ShardUnit* self);
  async::Task<void> load_into(unsigned count, Result<void>* done);

  async::Shard shard_;
  async::Gate work_;
  store::ShardStore& store_;
  turn::OutputGate gate_;
  std::optional<net::DnsResolver> resolver_;        // goes after the client
  std::optional<net::Client> client_;               // goes after the turns that call
  std::unique_ptr<TraceSender> traces_;             // null: nobody wants them
  std::unique_ptr<tenant::Identities> identities_;  // null: there are no issuers
  tenant::Meter meter_;
  turn::Services services_;
  UsageWriter usage_;
  runtime::Runtime runtime_;
  function::FunctionHandler functions_;
  hook::Endpoints endpoints_;
  hook::Invoker invoker_;
  delivery::Ring& ring_;
  hook::Events events_;
  delivery::Dispatcher deliveries_;  // goes before what it delivers to
  async::Shelter shelter_;           // goes before what its tasks use
  hook::Emitter emitter_;
  hook::Shadows shadows_;
  std::shared_ptr<const hook::Apps> hook_apps_;
  std::optional<api::HookApi> hooks_;
  std::array<RequestFigures, kListeners.size()> requests_;
  struct Listening {
    Listener which;
    std::unique_ptr<net::Server> server;
  };
  std::vector<Listening> listening_;  // goes first: connections use all above
  std::atomic<bool> running_ = false, drained_ = false;
  std::thread thread_;
};

}  // namespace carrel::server
