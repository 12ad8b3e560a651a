#include "cli/engine_room.h"

#include "cli/state_folder.h"

namespace carrel::cli {

wasm::EngineSettings shell_settings() {
  wasm::EngineSettings settings = wasm::settings_for_this_machine();
  settings.pooling = false;
  settings.max_memory = 4ULL << 30;
  return settings;
}

Result<EngineRoom> open_engine_room(const std::string& state,
                                    const wasm::EngineSettings& settings) {
  CARREL_TRY(const std::filesystem::path folder, open_state(state));
  EngineRoom room;
  CARREL_TRY(room.engine, wasm::Engine::make(settings));
  wasm::CodeCacheOptions options;
  options.folder = folder / "code";
  options.key_file = folder / "node.key";
  CARREL_TRY(room.cache, wasm::CodeCache::open(room.engine, std::move(options)));
  return room;
}

}  // namespace carrel::cli
