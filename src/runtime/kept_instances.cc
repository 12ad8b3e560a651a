#include "runtime/kept_instances.h"

#include <algorithm>
#include <iterator>

namespace carrel::runtime {
namespace {

constexpr std::chrono::seconds kLookEvery{1};

Instant now() { return std::chrono::steady_clock::now(); }

}  // namespace

KeptInstances::Taken KeptInstances::take(const turn::ModuleSetup& module,
                                         const turn::OutputGate* gate) {
  if (module.reuse == nullptr) return {};
  const auto found = std::ranges::find_if(kept_, [&](const Kept& each) {
    return each.module == module.reuse && each.tenant == module.tenant &&
           (each.past.seen == store::Version{} ||
            (gate != nullptr && gate->open_for(each.past.seen)));
  });
  if (found == kept_.end()) return {};
  Taken taken{.instance = std::move(found->instance), .past = std::move(found->past)};
  forget(taken.past);
  kept_.erase(found);
  return taken;
}

void KeptInstances::put(const turn::ModuleSetup& module,
                        std::unique_ptr<wasm::KeptInstance> instance, Past past) {
  if (instance == nullptr || module.reuse == nullptr) return;
  if (instance->turns() >= module.reuse->turns) return;
  const auto same = [&](const Kept& each) { return each.module == module.reuse; };
  if (std::ranges::count_if(kept_, same) >= static_cast<std::ptrdiff_t>(kMostOfAModule)) return;
  memory_ += past.memory;
  kept_places_ += past.places;
  kept_.push_front({.tenant = module.tenant,
                    .module = module.reuse,
                    .instance = std::move(instance),
                    .past = std::move(past),
                    .until = now() + module.reuse->idle});
  while (!kept_.empty() && (kept_.size() > kMost || memory_ > kMostMemory)) drop_last();
  if (kept_.empty() || (sweeper_ && !sweeper_.done())) return;
  sweeper_ = sweep();
  sweeper_.start();
}

void KeptInstances::forget(const Past& past) {
  memory_ -= past.memory;
  kept_places_ -= past.places;
}

void KeptInstances::drop_last() {
  forget(kept_.back().past);
  kept_.pop_back();
}

void KeptInstances::make_room(std::size_t taken) {
  while (!kept_.empty() && taken + kept_places_ > places_) drop_last();
}

async::Task<void> KeptInstances::sweep() {
  while (!kept_.empty()) {
    co_await shard_.sleep_for(kLookEvery);
    std::erase_if(kept_, [this, at = now()](const Kept& each) {
      if (each.until > at) return false;
      forget(each.past);
      return true;
    });
  }
}

}  // namespace carrel::runtime
