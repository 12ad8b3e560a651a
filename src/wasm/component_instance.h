// A component brought to life in a fresh store, and one call of its world.
//
// Like an Instance in all that concerns its neighbours: slices of at most one tick, limits of
// memory, CPU time and wall time, nothing left behind. What the component reaches of the outside it
// reaches through preview 1's host functions, which see this as the call they serve.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "wasm/instance.h"
#include "wasm/kept_instance.h"

namespace carrel::wasm {

struct Field {
  std::string_view name, value;
};

// What a guest's request and response are beside their bodies, which are descriptors 0 and 1: the
// response's head and trailers as the guest makes them, and the request's trailers.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
  virtual void head(int status, std::span<const Field> fields) = 0;
  virtual void trailers(std::span<const Field> fields) = 0;
  // Once the request's body has ended.
  virtual std::vector<Field> request_trailers() = 0;
};

struct ComponentRequest {
  std::string_view method, scheme, authority, target;  // target: path and query
  std::span<const Field> fields;
  bool has_body = false;                         // read from descriptor 0
  HttpExchange* exchange = nullptr;              // outlives the call
  std::unique_ptr<KeptInstance> kept = nullptr;  // to run in; null: a fresh one
  bool keep = false;                             // if it ends well: see `take_kept`
};

// Owner: the turn. Thread: its shard. Stops: destruction cancels what is in progress and frees the
// slot.
class ComponentInstance final : public Call {
 public:
  // `state` is what host functions get as `Call::state()`. `account` pays for the CPU time.
  ComponentInstance(async::Shard& shard, async::RunAccount& account, const Prepared& prepared,
                    void* state, const CallLimits& limits);
  ~ComponentInstance() override;
  ComponentInstance(const ComponentInstance&) = delete;
  ComponentInstance& operator=(const ComponentInstance&) = delete;

  // As Instance::on_leave.
  void on_leave(void (*hook)(void* state, Instance::Leave why) noexcept);

  // Of a component prepared for World::http: handles one request. Ends as `bad_request` when the
  // request cannot be put to a component, and as `bad_reply` without a whole response.
  async::Task<Outcome> handle(ComponentRequest request);
  // The instance, after a request that ended well and was to keep it; else null.
  std::unique_ptr<KeptInstance> take_kept();
  // Of one prepared for World::command: runs it, with descriptors 0, 1 and 2 as its streams.
  async::Task<Outcome> run();

  GuestMemory memory() override { return memory_; }

 private:
  struct Impl;
  async::Task<Outcome> drive();
  GuestMemory memory_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::wasm
