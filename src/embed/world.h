// The library's one global: what belongs to this process, and not to the one it was forked from.
//
// A child that was forked begins anew: the parent's engine and its threads are not there, and its
// handles are known by their numbers only.
#pragma once

#include <carrel/carrel.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "embed/application.h"
#include "embed/core.h"

namespace carrel::embed {

// Thread-safe. Never destroyed.
class World {
 public:
  // This process's.
  static World& here();

  // The process is about to end: nobody is called back any more.
  static bool exiting();

  // The core, made at the first open. Errors: invalid_argument when it was made with other options;
  // Core::make's.
  Outcome<Core*> core(const CoreOptions& options);
  Core* core() const { return core_.get(); }

  // Held while an application is opened; a fork waits until it is free.
  std::mutex& opening() { return opening_; }

  FunctionCalls& function_calls() { return function_calls_; }

  carrel_handle add(std::shared_ptr<Application> application);
  // Errors: closed, reopen.
  Outcome<std::shared_ptr<Application>> find(carrel_handle handle) const;
  Outcome<std::shared_ptr<Application>> take(carrel_handle handle);

 private:
  explicit World(std::uint32_t generation) : generation_(generation) {}
  static void after_fork();
  Failure unknown(carrel_handle handle) const;

  std::uint32_t generation_;  // of processes forked from one another
  std::mutex opening_;
  std::unique_ptr<Core> core_;
  FunctionCalls function_calls_;

  mutable std::mutex mutex_;
  std::unordered_map<carrel_handle, std::shared_ptr<Application>> applications_;
  std::uint64_t last_ = 0;
};

}  // namespace carrel::embed
