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

#include "async/gate.h"
#include "async/shard.h"
#include "net/server.h"
#include "patterns/function/handler.h"
#include "runtime/runtime.h"
#include "server/logs.h"

namespace carrel::server {

// Owner and thread: the composition root's, which must not destroy it while it runs. Stops: `stop`, then
// `join`.
class ShardUnit {
 public:
  ShardUnit(unsigned index, runtime::Loader& loader, const runtime::RuntimeLimits& limits, Logs& logs);
  ~ShardUnit();
  ShardUnit(const ShardUnit&) = delete;
  ShardUnit& operator=(const ShardUnit&) = delete;

  // Before `start`. Listeners are drained in the order in which they were added. Gives the port.
  // Errors: unavailable when the address cannot be bound.
  Result<std::uint16_t> serve_apps(net::Server::Options options);
  Result<std::uint16_t> serve(net::Handler& handler, net::Server::Options options);

  // `pin` names a processor for its thread.
  void start(std::optional<unsigned> pin);

  // From the next request on. Any time.
  void use(std::shared_ptr<const function::Sites> sites);

  // Refuses new connections, gives requests in progress `bound`, then ends the thread.
  void stop(std::chrono::milliseconds bound);
  bool running() const { return running_.load(); }
  void join();

 private:
  static async::Task<void> drain(ShardUnit* self, std::chrono::milliseconds bound);

  async::Shard shard_;
  async::Gate work_;
  runtime::Runtime runtime_;
  function::FunctionHandler functions_;
  std::vector<std::unique_ptr<net::Server>> listeners_;  // goes first: its connections use all above
  std::atomic<bool> running_ = false;
  std::thread thread_;
};

}  // namespace carrel::server
