// The engine and its code cache in the state folder, as the commands that run modules need them.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "wasm/code_cache.h"
#include "wasm/engine.h"

namespace carrel::cli {

struct EngineRoom {
  std::shared_ptr<wasm::Engine> engine;
  std::shared_ptr<wasm::CodeCache> cache;
};

// For a handful of instances: no pool, memories up to 4 GiB.
wasm::EngineSettings shell_settings();

// `state` is the --state option. Errors: those of the state folder, the engine and the cache.
Result<EngineRoom> open_engine_room(const std::string& state, const wasm::EngineSettings& settings);

}  // namespace carrel::cli
