// Events at hook points, on the data listener: emitting them, and seeing to their deliveries.
//
//   POST /v1/hooks/{point}:emit                        the event; ?tenant=NAME: for whom
//   GET  /v1/hooks/{point}/deliveries                  ?state=open|dead&after=&limit=
//   POST /v1/hooks/{point}/deliveries:redrive          {"binding", "id"}: dead letters, tried again
//   POST /v1/hooks:pause, /v1/hooks:resume             all deliveries of the node
//
// Emitting and redriving need the verb "invoke" on the app's tenant, reading "logs", as causes are
// told; pausing "operate" on the node.
#pragma once

#include <optional>
#include <string_view>

#include "api/hook_request.h"
#include "base/clock.h"
#include "delivery/ring.h"
#include "patterns/hook/emitter.h"

namespace carrel::api {

// Deliveries of the node. Owner: the server. Thread-safe. Errors: io.
class DeliverySwitch {
 public:
  virtual ~DeliverySwitch() = default;
  virtual bool paused() const = 0;
  virtual Result<void> pause() = 0;
  virtual Result<void> resume() = 0;
};

// Owner: the shard's unit; what it refers to outlives it. Thread: its shard.
class EventApi {
 public:
  EventApi(hook::Emitter& emitter, delivery::Ring& ring, DeliverySwitch& pause,
           async::Shelter& shelter, const turn::Services& services, const Clock& clock)
      : emitter_(emitter),
        ring_(ring),
        switch_(pause),
        shelter_(shelter),
        services_(services),
        clock_(clock) {}

  bool paused() const { return switch_.paused(); }

  // Nothing: the path is another's. Errors: what is to be told.
  async::Task<std::optional<Result<Answer>>> answer(HookRequest request);

 private:
  using Ask = async::Task<Result<Answer>> (EventApi::*)(const HookRequest* request,
                                                        const hook::Point* point);
  async::Task<Result<Answer>> emit(const HookRequest* request, const hook::Point* point);
  async::Task<Result<Answer>> deliveries(const HookRequest* request, const hook::Point* point);
  async::Task<Result<Answer>> redrive(const HookRequest* request, const hook::Point* point);
  Result<Answer> pause(const HookRequest& request);
  struct Redriven {
    std::size_t count = 0;
    std::string next;  // where the next page begins; empty: that was all
  };
  async::Task<Result<Redriven>> redrive_page(std::string prefix, std::string id, std::string after);

  hook::Emitter& emitter_;
  delivery::Ring& ring_;
  DeliverySwitch& switch_;
  async::Shelter& shelter_;
  const turn::Services& services_;
  const Clock& clock_;
};

}  // namespace carrel::api
