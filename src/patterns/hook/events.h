// Events on their way to the bindings of their points: a module's turn, or a request to an
// endpoint.
//
// A module with grants to write acknowledges in the commit of its turn: what it did and that it was
// told are one. Others are told again if the node ends in between.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>

#include "delivery/receiver.h"
#include "patterns/hook/cloud_event.h"
#include "patterns/hook/endpoint.h"
#include "patterns/hook/invoker.h"
#include "patterns/hook/lane.h"
#include "patterns/hook/point.h"
#include "runtime/runtime.h"
#include "turn/state.h"

namespace carrel::hook {

// Owner: the shard's unit; goes after its dispatcher. Thread: its shard.
class Events final : public delivery::Receiver {
 public:
  Events(runtime::Runtime& runtime, turn::GuestLog& guests, Reports& reports,
         const turn::Services& services, Endpoints& endpoints, const Clock& clock)
      : runtime_(runtime),
        guests_(guests),
        reports_(reports),
        services_(services),
        endpoints_(endpoints),
        clock_(clock) {}
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  // From the next attempt on.
  void serve(std::shared_ptr<const Apps> apps) { apps_ = std::move(apps); }

  // At the start, after the dispatcher's `load` and before events are emitted: removes this shard's
  // events that nobody is to be told of any more. Errors: those of the store.
  async::Task<Result<void>> sweep(unsigned index, unsigned count);

  delivery::Retry retry(const delivery::Item& item) const override;
  Nanos wait(const delivery::Name& name) const override;
  async::Task<delivery::Verdict> attempt(const delivery::Item* item) override;
  async::Task<Result<void>> settle(store::Transaction* transaction, const delivery::Item* item,
                                   const delivery::Verdict* verdict) override;
  void kept(const delivery::Name& name) override;
  void gone(const delivery::Name& name) override;
  void died(const delivery::Item& item) override;
  void dropped(const delivery::Name& name) override;
  void damaged(const delivery::Name& name) override;

 private:
  // Whom a delivery is for, as things are now.
  struct Whom {
    Lane lane;
    std::shared_ptr<const App> app;                      // null: it is not served now
    const Point* point = nullptr;                        // null: it is gone
    const Binding* binding = nullptr;                    // likewise
    std::shared_ptr<const Binding> customers = nullptr;  // keeps it, if it is a customer's
    std::optional<std::string> resting = {};             // it is there, and why it is not called
  };
  Whom find(const delivery::Name& name) const;
  bool waits(const Whom& whom, const delivery::Name& name) const;
  async::Task<Result<CloudEvent>> read(Lane lane, std::string id);
  async::Task<delivery::Verdict> run_module(const Whom* whom, const delivery::Item* item,
                                            CloudEvent event);
  async::Task<delivery::Verdict> tell_endpoint(const Whom* whom, const delivery::Item* item,
                                               CloudEvent event);
  async::Task<void> erase(TenantName tenant, AppName app, std::string id);

  runtime::Runtime& runtime_;
  turn::GuestLog& guests_;
  Reports& reports_;
  const turn::Services& services_;
  Endpoints& endpoints_;
  const Clock& clock_;
  std::shared_ptr<const Apps> apps_ = std::make_shared<Apps>();
  std::map<std::string, std::size_t> left_;  // records of an event's deliveries, by its id
  std::list<async::Task<void>> erasing_;
};

}  // namespace carrel::hook
