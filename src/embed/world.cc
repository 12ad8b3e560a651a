#include "embed/world.h"

#include <pthread.h>

#include <atomic>
#include <cstdlib>

namespace carrel::embed {
namespace {

constexpr int kNumberBits = 40;  // of a handle; the rest is its process's generation

std::atomic<World*> the_world = nullptr;
std::atomic<bool> is_exiting = false;

}  // namespace

// In the child, where no other thread is. What was the parent's is left as it is: threads that are
// gone may hold its locks.
void World::after_fork() {
  const World* const before = the_world.load();
  the_world.store(new World(before->generation_ + 1));
}

bool World::exiting() { return is_exiting.load(std::memory_order_relaxed); }

World& World::here() {
  static const bool made = [] {
    the_world.store(new World(1));
    pthread_atfork([] { the_world.load()->opening_.lock(); },
                   [] { the_world.load()->opening_.unlock(); }, after_fork);
    std::atexit([] { is_exiting.store(true); });
    return true;
  }();
  (void)made;
  return *the_world.load(std::memory_order_acquire);
}

Outcome<Core*> World::core(const CoreOptions& options) {
  if (core_) {
    const bool other = (!options.cache.empty() && options.cache != core_->options().cache) ||
                       (!options.compiler.empty() && options.compiler != core_->options().compiler);
    if (other)
      return std::unexpected(Failure(
          Error(Code::invalid_argument, "this process has another cache or compiler already",
                "the first carrel_open decides; leave them NULL later")));
    return core_.get();
  }
  CARREL_TRY(const CoreOptions all, complete(options));
  CARREL_TRY(core_, Core::make(all));
  return core_.get();
}

carrel_handle World::add(std::shared_ptr<Application> application) {
  const std::lock_guard lock(mutex_);
  const carrel_handle handle = (std::uint64_t{generation_} << kNumberBits) | ++last_;
  applications_.emplace(handle, std::move(application));
  return handle;
}

Failure World::unknown(carrel_handle handle) const {
  const std::uint64_t generation = handle >> kNumberBits;
  if (generation > 0 && generation < generation_)
    return {kReopen, "the handle is of the process that this one was forked from",
            "call carrel_open here"};
  return {kClosed, "the handle is closed"};
}

Outcome<std::shared_ptr<Application>> World::find(carrel_handle handle) const {
  const std::lock_guard lock(mutex_);
  const auto found = applications_.find(handle);
  if (found == applications_.end()) return std::unexpected(unknown(handle));
  return found->second;
}

Outcome<std::shared_ptr<Application>> World::take(carrel_handle handle) {
  const std::lock_guard lock(mutex_);
  const auto found = applications_.find(handle);
  if (found == applications_.end()) return std::unexpected(unknown(handle));
  auto application = std::move(found->second);
  applications_.erase(found);
  return application;
}

}  // namespace carrel::embed
