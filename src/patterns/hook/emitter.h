// The emitter: an event is kept, and a delivery for each binding of its point, in one commit.
//
// Who emits is told when that is durable, and not what becomes of it; who goes before is told
// nothing, and the event is delivered as any. With a key, or a CloudEvent's
// source and id, the same event again makes no second one for 24 hours.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "async/shelter.h"
#include "delivery/ring.h"
#include "patterns/hook/cloud_event.h"
#include "patterns/hook/point.h"
#include "turn/state.h"

namespace carrel::hook {

struct Emission {
  CloudEvent event;
  std::optional<TenantName> tenant;  // whose bindings are told, with those of tenants above it
  std::string key;                   // the sender's, for repetitions; empty: none
  Bindings customers = {};           // of these tenants, besides the point's own
  std::string subject = {};          // as of a call; empty: the event's id
};

struct Emitted {
  std::string id;
  std::size_t deliveries = 0;
  bool again = false;  // it had been emitted before
};

// Owner: the shard's unit. Thread: its shard.
class Emitter {
 public:
  Emitter(const turn::Services& services, const Clock& clock, delivery::Ring& ring,
          const delivery::Dispatcher& dispatcher, async::Shelter& shelter)
      : services_(services),
        clock_(clock),
        ring_(ring),
        dispatcher_(dispatcher),
        shelter_(shelter) {}

  // Whether an app may have more deliveries that wait.
  bool has_room(const App& app) const;

  // `point` is one of the app's, of kind event. Errors: hook_input with what is wrong;
  // too_many_requests while too much waits to be delivered; idempotency_mismatch; quota_exceeded;
  // those of the store.
  async::Task<Result<Emitted>> emit(std::shared_ptr<const App> app, const Point* point,
                                    Emission emission);

 private:
  async::Task<Result<Emitted>> keep(std::shared_ptr<const App> app, const Point* point,
                                    Emission emission, WallTime now, std::string id);

  const turn::Services& services_;
  const Clock& clock_;
  delivery::Ring& ring_;
  const delivery::Dispatcher& dispatcher_;
  async::Shelter& shelter_;
};

}  // namespace carrel::hook
