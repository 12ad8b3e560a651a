// What all handles of a process share: the engine, the compiled code, the lanes on which calls run.
//
// Made by the first open and kept until the process ends: nothing of it is ever taken down, so
// calls that are in flight at exit find what they need.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "embed/failure.h"
#include "embed/lanes.h"
#include "embed/workers.h"
#include "runtime/loader.h"
#include "wasm/code_cache.h"

namespace carrel::embed {

struct CoreOptions {
  std::filesystem::path cache;     // empty: carrel/ in XDG_CACHE_HOME or in ~/.cache
  std::filesystem::path compiler;  // empty: carrel-compile beside the library
  bool operator==(const CoreOptions&) const = default;
};

// With what was left out filled in. Errors: invalid_argument, not_found.
Result<CoreOptions> complete(CoreOptions options);

// Owner: the world, for ever. Thread-safe.
class Core {
 public:
  // `options` are complete. Starts threads, which block all signals. Errors: those of the engine
  // and the cache.
  static Result<std::unique_ptr<Core>> make(const CoreOptions& options);

  const CoreOptions& options() const { return options_; }
  runtime::Loader& loader() { return loader_; }
  Lanes& lanes() { return lanes_; }
  Workers& workers() { return workers_; }

 private:
  Core(CoreOptions options, std::shared_ptr<wasm::Engine> engine,
       std::shared_ptr<wasm::CodeCache> cache);

  CoreOptions options_;
  runtime::Loader loader_;
  Lanes lanes_;
  Workers workers_;
};

}  // namespace carrel::embed
