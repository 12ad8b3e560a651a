#include "runtime/kept_instances.h"

#include <algorithm>
#include <iterator>

namespace carrel::runtime {
namespace {

constexpr std::chrono::seconds kLookEvery{1};

Instant now() { return std::chrono::steady_clock::now(); }

}  // namespace

std::unique_ptr<wasm::KeptInstance> KeptInstances::take(const turn::ModuleSetup& module) {
  if (module.reuse == nullptr) return nullptr;
  const auto found = std::ranges::find_if(kept_, [&](const Kept& each) {
    return each.module == module.reuse && each.tenant == module.tenant;
  });
  if (found == kept_.end()) return nullptr;
  auto instance = std::move(found->instance);
  kept_.erase(found);
  return instance;
}

void KeptInstances::put(const turn::ModuleSetup& module,
                        std::unique_ptr<wasm::KeptInstance> instance) {
  if (instance == nullptr || module.reuse == nullptr) return;
  if (instance->turns() >= module.reuse->turns) return;
  const auto same = [&](const Kept& each) { return each.module == module.reuse; };
  if (std::ranges::count_if(kept_, same) >= static_cast<std::ptrdiff_t>(kMostOfAModule)) return;
  kept_.push_front({.tenant = module.tenant,
                    .module = module.reuse,
                    .instance = std::move(instance),
                    .until = now() + module.reuse->idle});
  if (kept_.size() > kMost) kept_.pop_back();
  if (sweeper_ && !sweeper_.done()) return;
  sweeper_ = sweep();
  sweeper_.start();
}

void KeptInstances::make_room(std::size_t running) {
  while (!kept_.empty() && running + kept_.size() > slots_) kept_.pop_back();
}

async::Task<void> KeptInstances::sweep() {
  while (!kept_.empty()) {
    co_await shard_.sleep_for(kLookEvery);
    std::erase_if(kept_, [at = now()](const Kept& each) { return each.until <= at; });
  }
}

}  // namespace carrel::runtime
